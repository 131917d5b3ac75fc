"""The page that a browser shows for an error: what it is, where in the Worker's code, and for which request."""

import html
import linecache
import traceback
from types import TracebackType

from cfworkflows.http import Request
from cfworkflows_emulator.shown import shown
from cfworkflows_emulator.tracebacks import format_error, format_error_only

CONTEXT = 4  # lines of source above and below the one that failed

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1d1f24; --dim: #6a6f7a; --line: #e3e5ea; --hot: #fdeceb;
  --red: #b3261e; --code: #f7f8fa; }
@media (prefers-color-scheme: dark) { :root { --back: #16181d; --text: #e6e8ec; --dim: #9aa0ac; --line: #2c3038;
  --hot: #45201e; --red: #ff8a80; --code: #1d2026; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; color: var(--red); font-size: 1.1rem; }
.message { margin: .25rem 0 1rem; font-size: 1.35rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.request, .place { color: var(--dim); overflow-wrap: anywhere; }
.place { margin: 1.5rem 0 .4rem; }
.place b { color: var(--text); }
pre { margin: 0; padding: .6rem 0; border: 1px solid var(--line); border-radius: 6px; background: var(--code);
  overflow-x: auto; font: 13px/1.6 ui-monospace, monospace; }
pre span { display: block; min-width: max-content; padding: 0 .8rem; }
pre i { display: inline-block; width: 3.5em; color: var(--dim); font-style: normal; user-select: none; }
pre .hot { background: var(--hot); }
details { margin-top: 2rem; } summary { cursor: pointer; color: var(--dim); margin-bottom: .4rem; }
details pre { padding: .6rem .8rem; }
"""

_QUALIFIED_NAME = vars(type)["__qualname__"]  # whatever the metaclass of an error says


def error_page(error: BaseException, frames: TracebackType | None, request: Request, script: str = "") -> str:
    """The page, which loads nothing from elsewhere. `frames` are those of the Worker's code, if there are any.

    `script` is markup of ours to put into it.
    """
    name: str = _QUALIFIED_NAME.__get__(type(error))
    kind = _escape(name)
    # The last line of what Python prints is for people too: it has the notes, and the place of a SyntaxError.
    message = format_error_only(error).strip()
    what, found, text = message.partition(": ")
    if what == name or what.endswith(f".{name}"):  # behind the name of its module
        message = text if found else name
    # The innermost call first: that is where the reader wants to look.
    steps = "".join(reversed([_frame(frame, line) for frame, line in traceback.walk_tb(frames)]))
    whole = (
        f"<details><summary>Traceback</summary><pre>{_escape(format_error(error))}</pre></details>" if frames else ""
    )
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{kind}: {_escape(message)}</title><style>{_STYLE}</style></head>\n"
        f'<body><h1>{kind}</h1><p class="message">{_escape(message)}</p>'
        f'<p class="request">{_escape(request.method)} {_escape(request.url)}</p>'
        f"{steps}{whole}{script}</body></html>\n"
    )


def _frame(frame: object, line: int) -> str:
    code = frame.f_code  # type: ignore[attr-defined]  # walk_tb gives frames
    linecache.checkcache(code.co_filename)
    source = linecache.getlines(code.co_filename)
    first = max(line - CONTEXT, 1)
    shown = "".join(
        f"<span{' class=hot' if number == line else ''}><i>{number}</i>{_escape(text.rstrip())}</span>"
        for number, text in enumerate(source[first - 1 : line + CONTEXT], start=first)
    )
    place = f"<b>{_escape(code.co_qualname)}</b> in {_escape(code.co_filename)}:{line}"
    return f'<p class="place">{place}</p><pre>{shown}</pre>' if shown else f'<p class="place">{place}</p>'


def _escape(text: str) -> str:
    return html.escape(shown(text))
