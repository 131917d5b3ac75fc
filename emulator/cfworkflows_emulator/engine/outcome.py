"""What `run()` returns, and what it raises, as it is stored."""

from typing import Any

from cfworkflows.errors import ErrorRecord, SerializationError
from cfworkflows.values import encode
from cfworkflows_emulator.engine.journal.sizes import size_of, too_large
from cfworkflows_emulator.tracebacks import format_error


def encoded_output(output: Any) -> str:
    """The output as text. Raises SerializationError for what cannot be stored, and for more than 1 MiB."""
    try:
        value = encode(output)
        size = size_of(output, value)
        if too_large(size):
            raise SerializationError(
                f"it has {size:,} bytes, and the limit is 1 MiB. Store it elsewhere (R2, KV) and return its key."
            )
    except SerializationError as error:
        raise SerializationError(f"The output of the workflow cannot be stored: {error}", path=error.path) from None
    return value


def record_of(error: BaseException) -> ErrorRecord:
    """The error that leaves `run()`, with its traceback, and no longer than an error may be."""
    return ErrorRecord.of(error, format_error(error)).limited()
