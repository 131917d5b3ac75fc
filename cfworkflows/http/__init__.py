"""`Request`, `Response`, `Headers`, `fetch` and their kin, with the semantics they have in a TypeScript Worker.

snake_case is canonical and every camelCase name works too. Importing this package imports the standard library only;
`fetch` and the parsing of multipart bodies import aiohttp on the first call, and URLs that are not plain import their
parser. `TransformStream` and `WritableStream` are in modules of their own, since few Workers need them. May import the
durations, values and timers below it.
"""

from cfworkflows.http.abort import AbortController, AbortSignal
from cfworkflows.http.blob import Blob, File
from cfworkflows.http.body import BodyInit
from cfworkflows.http.client import close_client
from cfworkflows.http.fetch import FetchInit, fetch
from cfworkflows.http.forms import FormData, URLSearchParams
from cfworkflows.http.headers import Headers, HeadersInit
from cfworkflows.http.replay import ReplayStream
from cfworkflows.http.request import Request, RequestInit
from cfworkflows.http.response import Response, ResponseInit
from cfworkflows.http.streams import ReadableStream
from cfworkflows.http.url import URL

__all__ = [
    "URL",
    "AbortController",
    "AbortSignal",
    "Blob",
    "BodyInit",
    "FetchInit",
    "File",
    "FormData",
    "Headers",
    "HeadersInit",
    "ReadableStream",
    "ReplayStream",
    "Request",
    "RequestInit",
    "Response",
    "ResponseInit",
    "URLSearchParams",
    "close_client",
    "fetch",
]
