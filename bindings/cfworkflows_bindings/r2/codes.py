"""The platform's codes and texts for what R2 refuses: its bindings, its S3 API and its explorer share them."""

from cfworkflows.errors import R2Error

INTERNAL = 10001
NO_SUCH_KEY = 10007
TOO_SMALL = 10011
METADATA_TOO_LARGE = 10012
INVALID_NAME = 10020
INVALID_MAX_KEYS = 10022
NO_SUCH_UPLOAD = 10024
INVALID_PART = 10025
BAD_DIGEST = 10037
INVALID_RANGE = 10039
BAD_UPLOAD = 10048
TOO_LARGE = 100100

MESSAGES = {
    INTERNAL: "We encountered an internal error. Please try again.",
    NO_SUCH_KEY: "The specified key does not exist.",
    TOO_SMALL: "Your proposed upload is smaller than the minimum allowed object size.",
    METADATA_TOO_LARGE: "Your metadata headers exceed the maximum allowed metadata size.",
    INVALID_NAME: "The specified object name is not valid.",
    INVALID_MAX_KEYS: "MaxKeys params must be positive integer <= 1000.",
    NO_SUCH_UPLOAD: "The specified multipart upload does not exist.",
    INVALID_PART: "One or more of the specified parts could not be found.",
    INVALID_RANGE: "The requested range is not satisfiable",
    BAD_UPLOAD: "There was a problem with the multipart upload.",
    TOO_LARGE: "Your proposed upload exceeds the maximum allowed object size.",
}

MIB = 1024 * 1024
LONGEST_KEY = 1024
LARGEST_PUT = 5 * 1024 * MIB - 5 * MIB
LARGEST_OBJECT = 5 * 1024 * 1024 * MIB
LARGEST_METADATA = 8192
SMALLEST_PART = 5 * MIB
MOST_PARTS = 10_000
LONGEST_PAGE = 1000
LONGEST_PAGE_WITH_METADATA = 100


def refusal(action: str, code: int, note: str = "", message: str | None = None) -> R2Error:
    """`put: The specified object name is not valid. (10020)`, with a `note` for people to read."""
    error = R2Error(f"{action}: {MESSAGES[code] if message is None else message} ({code})")
    if note:
        error.add_note(note)
    return error


def checked_key(action: str, key: object) -> str:
    """The key of an object. Raises R2Error for one that is too long, and TypeError for what is no text."""
    if isinstance(key, (int, float)) and not isinstance(key, bool):
        key = str(key)  # as on the platform
    if not isinstance(key, str):
        raise TypeError(f"Failed to execute '{action}' on 'R2Bucket': parameter 1 is not of type 'string'.")
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise refusal(action, INVALID_NAME, f"It has half a surrogate pair: {key!r}.") from None
    if length > LONGEST_KEY:
        raise refusal(action, INVALID_NAME, f"It has {length} bytes, and may have {LONGEST_KEY}: {key[:60]!r}…")
    return key
