"""The errors of S3, as XML."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from cfworkflows.errors import R2Error
from cfworkflows.http import Response
from cfworkflows_bindings.r2 import codes

# What a bucket refuses, by its code: the status and the code of S3.
_OF_R2 = {
    codes.NO_SUCH_KEY: (404, "NoSuchKey"),
    codes.TOO_SMALL: (400, "EntityTooSmall"),
    codes.METADATA_TOO_LARGE: (400, "MetadataTooLarge"),
    codes.INVALID_NAME: (400, "KeyTooLongError"),
    codes.INVALID_MAX_KEYS: (400, "InvalidArgument"),
    codes.NO_SUCH_UPLOAD: (404, "NoSuchUpload"),
    codes.INVALID_PART: (400, "InvalidPart"),
    codes.BAD_DIGEST: (400, "BadDigest"),
    codes.INVALID_RANGE: (416, "InvalidRange"),
    codes.BAD_UPLOAD: (400, "InvalidPart"),
    codes.TOO_LARGE: (400, "EntityTooLarge"),
}


class S3Error(Exception):
    """A request that is refused. `more` are further elements of the error."""

    def __init__(self, status: int, code: str, message: str, more: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.more = more or {}

    @classmethod
    def of(cls, error: R2Error, uploading: bool = False) -> "S3Error":
        """What a bucket refused. With `uploading`, an internal error is that of an upload that there is not."""
        if error.code == codes.INTERNAL and uploading:
            return cls(404, "NoSuchUpload", codes.MESSAGES[codes.NO_SUCH_UPLOAD])
        status, code = _OF_R2.get(error.code or 0, (400, "InvalidRequest"))
        notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
        text = str(error).partition(": ")[2].removesuffix(f" ({error.code})") or str(error)
        return cls(status, code, text + notes)

    def answer(self, path: str) -> Response:
        """As S3 has it."""
        elements = {"Code": self.code, "Message": str(self), "Resource": path, **self.more}
        inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inside}</Error>'
        return Response(text, {"status": self.status, "headers": {"content-type": "application/xml"}})
