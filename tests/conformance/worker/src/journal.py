"""What the workflows of this Worker note down while they run. It is kept in memory, and sent to a collector if any."""

import json
import time
from typing import Any

from values import describe

from cfworkflows import fetch

NOTES: dict[str, list[dict[str, Any]]] = {}


async def note(id: str, tag: str, value: Any = None, collector: str | None = None) -> None:
    entry = {"t": int(time.time() * 1000), "tag": tag, "value": describe(value)}
    NOTES.setdefault(id, []).append(entry)
    if collector:
        answer = await fetch(collector, {"method": "POST", "body": json.dumps({"id": id, **entry})})
        await answer.text()
