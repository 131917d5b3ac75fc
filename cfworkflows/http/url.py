"""`URL`, as the WHATWG URL standard has it: parsed by ada, as on the platform, and there by the platform itself."""

import re
import sys
from collections.abc import Callable
from typing import Any, Union, overload

from cfworkflows.http.forms import URLSearchParams
from cfworkflows.http.strings import Text, to_string

# URLs that are certainly in their normal form, as nearly all are, need no parser. A host whose last
# label begins with a letter is no IPv4 address, and one without "--" needs no decoding.
_PLAIN = re.compile(
    r"https?://(?:127\.0\.0\.1|(?:[a-z0-9](?:-?[a-z0-9])*\.)*[a-z](?:-?[a-z0-9])*)"
    r"(?::(?!80/|443/|0)[0-9]{1,4})?/[A-Za-z0-9_~!$&()*+,;=:@/\-]*"
)


class _Component:
    """A part of a URL as text. A value that the parser refuses leaves the URL unchanged, as in the standard."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, url: None, owner: type) -> "_Component": ...

    @overload
    def __get__(self, url: "URL", owner: type) -> str: ...

    def __get__(self, url: Union["URL", None], owner: type) -> Union["_Component", str]:
        return self if url is None else str(getattr(url._parsed, self._name))

    def __set__(self, url: "URL", value: str | int) -> None:
        try:
            setattr(url._parsed, self._name, well_formed(to_string(value, f"The {self._name} of a URL")))
        except ValueError:  # ada changed nothing
            return
        if self._name == "search":
            url._read_search()


class URL(Text):
    """An absolute URL, taken apart: `URL("https://e.com/a?b=c").pathname` is `"/a"`.

    `base` makes it absolute where it is relative. Every part can be set, and what does not fit is ignored, as in
    JavaScript; `search_params` reads and writes the query. `str(url)` is `url.href`. Two are equal if their href is.

    TypeError if it is not an absolute URL: `Invalid URL string.`
    """

    __slots__ = ("_parsed", "_search_params")
    __hash__ = None  # type: ignore[assignment]  # it is mutable: put its href into a set

    protocol = _Component('The scheme with its colon: `"https:"`.')
    username = _Component("What stands before the `:` of `user:password@`, percent-encoded.")
    password = _Component("What stands after the `:` of `user:password@`, percent-encoded.")
    host = _Component('The host name, and the port if it is not the default one: `"e.com:8080"`.')
    hostname = _Component("The host name alone, in ASCII.")
    port = _Component('The port, or `""` if it is the default one.')
    pathname = _Component('The path, percent-encoded: `"/a%20b"`.')
    search = _Component('The query with its `?`, or `""`.')
    hash = _Component('The fragment with its `#`, or `""`.')

    def __init__(self, url: Union[str, "URL"], base: Union[str, "URL", None] = None) -> None:
        parsed = _parsed(str(url), None if base is None else str(base))
        if parsed is None:
            raise TypeError(_refusal(url, base))
        self._parsed = parsed
        self._search_params: URLSearchParams | None = None

    @classmethod
    def parse(cls, url: Union[str, "URL"], base: Union[str, "URL", None] = None) -> Union["URL", None]:
        """The URL, or None where `URL(url, base)` would raise."""
        try:
            return cls(url, base)
        except TypeError:
            return None

    @staticmethod
    def can_parse(url: Union[str, "URL"], base: Union[str, "URL", None] = None) -> bool:
        """Whether `URL(url, base)` succeeds."""
        return _parsed(str(url), None if base is None else str(base)) is not None

    @property
    def href(self) -> str:
        """The whole URL. Setting it raises TypeError for anything but an absolute URL."""
        return str(self._parsed.href)

    @href.setter
    def href(self, value: Union[str, "URL"]) -> None:
        parsed = _parsed(str(value), None)
        if parsed is None:
            raise TypeError(_refusal(value, None))
        self._parsed = parsed
        self._read_search()

    @property
    def origin(self) -> str:
        """Scheme, host and port; `"null"` for a scheme that has none."""
        return str(self._parsed.origin)

    @property
    def search_params(self) -> URLSearchParams:
        """The fields of the query. Setting one changes the URL, and the other way round."""
        if self._search_params is None:
            self._search_params = URLSearchParams.of_url(self.search, self._write_search)
        return self._search_params

    def to_string(self) -> str:
        return self.href

    def to_json(self) -> str:
        """Its form in JSON: the whole URL."""
        return self.href

    def _read_search(self) -> None:
        if self._search_params is not None:
            self._search_params.read(self.search)

    def _write_search(self, text: str) -> None:
        self._parsed.search = text

    def __str__(self) -> str:
        return self.href

    def __repr__(self) -> str:
        return f"URL({self.href!r})"

    def __eq__(self, other: object) -> bool:
        return self.href == other.href if isinstance(other, URL) else NotImplemented

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.href,)

    canParse = can_parse  # noqa: N815 - the platform's name
    searchParams = search_params  # noqa: N815 - the platform's name
    toString = to_string  # noqa: N815 - the platform's name
    toJSON = to_json  # noqa: N815 - the platform's name


def normalise_url(text: str) -> str | None:
    """The URL in its normal form, or None if `text` is not an absolute URL."""
    return text if _PLAIN.fullmatch(text) else _href(text, None)


def join_url(base: str, location: str) -> str | None:
    """`location`, which may be relative, resolved against `base`."""
    return _href(location, base)


def without_fragment(url: str) -> str:
    return url.partition("#")[0]


def well_formed(text: str) -> str:
    """`text` with U+FFFD for every lone surrogate."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _href(text: str, base: str | None) -> str | None:
    parsed = _parsed(text, base)
    return None if parsed is None else str(parsed.href)


def _parsed(text: str, base: str | None) -> Any:
    """An object with the parts of the URL as attributes that can be set, or None if `text` is no URL."""
    text = well_formed(text)
    try:
        return _parser()(text) if base is None else _parser()(text, well_formed(base))
    except ValueError:
        return None


if sys.platform == "emscripten":

    def _parser() -> Callable[..., Any]:
        import js  # of the platform, which has its own parser

        return lambda *given: js.URL.parse(*given) or None  # JavaScript's null is falsy

else:

    def _parser() -> Callable[..., Any]:
        import ada_url  # takes some milliseconds, and most Workers only see plain URLs

        return ada_url.URL


def _refusal(url: object, base: object) -> str:
    if base is None:
        return f"Invalid URL string. {str(url)!r} is not an absolute URL, and there is no base."
    if not URL.can_parse(str(base)):
        return f"Invalid base URL string. {str(base)!r} is not an absolute URL."
    return f"Invalid URL string. {str(url)!r} is not a URL, not even with the base {str(base)!r}."
