"""How a page that shows an error is replaced: it asks which process answers, and loads again when another one does.

So a tab in a browser recovers by itself when the code was mended, and shows the next error if there is one.
"""

import uuid
from urllib.parse import urlsplit

from cfworkflows.http import Request, Response

PATH = "/cdn-cgi/local/process"
INTERVAL_MS = 1_000

_SCRIPT = """
<script>
setInterval(async () => {{
  if (document.hidden) return;
  try {{
    const answer = await fetch("{path}", {{cache: "no-store"}});
    if (answer.ok && await answer.text() !== "{mark}") location.reload();
  }} catch {{}}  // nobody answers now, and somebody may later
}}, {interval});
</script>
"""


class Recovery:
    """What tells this process from the one before it, and from the one after it."""

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex

    def answer(self, request: Request) -> Response | None:
        """The answer to a page that asks, None to any other request."""
        if PATH not in request.url or urlsplit(request.url).path != PATH:
            return None
        return Response(self._mark, {"headers": {"cache-control": "no-store"}})

    def script(self, request: Request) -> str:
        """What a page that answers `request` has to have in it; nothing if it cannot be asked for again."""
        if request.method != "GET":
            return ""
        return _SCRIPT.format(path=PATH, mark=self._mark, interval=INTERVAL_MS)
