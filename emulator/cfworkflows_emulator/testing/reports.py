"""What pytest prints of a failure: the story of the instances first, and no frames of ours. PYTEST_DONT_REWRITE"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from cfworkflows_emulator.tracebacks import format_error, is_plumbing, user_frames

_LOGGERS = "cfworkflows."


def trim(error: BaseException) -> None:
    """Take the frames of cfworkflows and asyncio out of the traceback of `error`, its causes and the errors in it.

    The line of the user's that called us stays, whatever we raised behind it.
    """
    todo, seen = [error], set[int]()
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        frames = user_frames(each.__traceback__)
        is_ours = frames is not None and is_plumbing(frames.tb_frame.f_code.co_filename)  # nothing but ours
        each.__traceback__ = None if is_ours and each is not error else frames
        group = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        todo += [other for other in (each.__cause__, each.__context__, *group) if other is not None]


@contextmanager
def trimmed_log() -> Iterator[None]:
    """The tracebacks in our own log as `format_error` has them, wherever pytest shows it."""
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if name.startswith(_LOGGERS)]
    for logger in loggers:
        logger.addFilter(_trimmed)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_trimmed)


def _trimmed(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and not record.exc_text:
        record.exc_text = format_error(error)  # a formatter takes it as it is
    return True
