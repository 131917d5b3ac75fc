"""XML as S3 writes and reads it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from cfworkflows.http import Request, Response
from cfworkflows_emulator.api.r2.payload import document
from cfworkflows_emulator.api.r2.refusals import S3Error
from cfworkflows_emulator.api.r2.signature import Signed

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LONGEST = 2 * 1024 * 1024

Value = str | int | bool | None | Mapping[str, Any] | Iterable[Any]


def answer(root: str, content: Mapping[str, Any]) -> Response:
    """A document. None is left out, and a list is as many elements."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{_inside(content)}</{root}>'
    return Response(text, {"headers": {"content-type": "application/xml"}})


def _inside(content: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_text(each)}</{name}>"
        for name, value in content.items()
        if value is not None
        for each in (value if isinstance(value, (list, tuple)) else [value])
    )


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return _inside(value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value), {"\r": "&#13;"})  # which a parser would make a line feed


class _Tree(ElementTree.TreeBuilder):
    """Refuses a document type, which could have entities that grow without end; no client sends one."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _malformed()


async def read(request: Request, signed: Signed) -> ElementTree.Element:
    """The document in the body, its names without their namespace. Raises S3Error for what is none, and for one that is
    not what was signed.
    """
    data = await document(request, signed, LONGEST)
    if data is None:
        raise _malformed()
    try:
        root: ElementTree.Element = ElementTree.fromstring(data, ElementTree.XMLParser(target=_Tree()))  # noqa: S314
    except (ElementTree.ParseError, ValueError, LookupError):  # the latter are of its encoding
        raise _malformed() from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _malformed() -> S3Error:
    text = "The XML you provided was not well-formed or did not validate against our published schema."
    return S3Error(400, "MalformedXML", text)


def moment(ms: int) -> str:
    """As S3 writes a time."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
