"""Plays a scenario, a list of HTTP actions, and writes down the answers as the recordings have them."""

import asyncio
import json
import re
import signal
import time
import uuid
from typing import Any

import aiohttp
from aiohttp import web
from target import Target

Json = Any
REST = "/cdn-cgi/explorer/api"
POLL_S = 0.05
ANSWER_S = 30
SCRUBBED = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"(?!1970|2020-01-01)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "<date>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hex64>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
)
_ALIAS = re.compile(r"(?<![\w@.])@(?:nope|[a-d]\d*)\b")
_LIFECYCLE = ("pause", "resume", "terminate", "restart", "delete")


class Collector:
    """Takes what a Worker notes down over HTTP, so that nothing is lost when its server is killed."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.url = ""

    async def __aenter__(self) -> "Collector":
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        note = await request.json()
        self.note(note["id"], note["tag"], note["value"])
        return web.Response(text="ok")

    def note(self, id: str | None, tag: str, value: Json = None) -> None:
        self.notes.append({"id": id, "t": time.time() * 1000, "tag": tag, "value": value})


class Player:
    """One run of a scenario. `@a` in ids and paths is an alias: unique for each run, and put back in the answers."""

    def __init__(self, session: aiohttp.ClientSession, target: Target, collector: Collector) -> None:
        self._session = session
        self._target = target
        self._collector = collector
        self._run = uuid.uuid4().hex[:8]
        self._ids: dict[str, str] = {}

    async def play(self, scenario: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers to the actions that have one: `{"action": "wait @a", "http": 200, "body": …}`."""
        answers = []
        for action in scenario["actions"]:
            answer = await self._act(self._unaliased(action))
            if answer is not None:
                about = action.get("id") or action.get("path") or ""
                answers.append({"action": f"{action['action']} {about}".strip(), **answer})
        return answers

    async def _act(self, action: dict[str, Any]) -> dict[str, Any] | None:
        kind = action["action"]
        if kind in _LIFECYCLE:
            return await self._post("/" + kind, action, "options")
        return await getattr(self, "_" + kind)(action)  # type: ignore[no-any-return]

    async def _sleep(self, action: dict[str, Any]) -> None:
        await asyncio.sleep(action["s"])

    async def _create(self, action: dict[str, Any]) -> dict[str, Any]:
        body = {**_chosen(action, "id", "workflow", "params"), **action.get("options", {})}
        if action.get("collector"):
            body["params"] = {**body["params"], "collector": self._collector.url}
        return self._plain(await self._ask("POST", "/create", body))

    async def _event(self, action: dict[str, Any]) -> dict[str, Any]:
        return await self._post("/event", action, *(["raw"] if "raw" in action else ["type", "payload"]))

    async def _get(self, action: dict[str, Any]) -> dict[str, Any]:
        return self._plain(await self._ask("GET", "/get" + _query(action)))

    async def _status(self, action: dict[str, Any]) -> dict[str, Any]:
        return self._plain(await self._ask("GET", "/status" + _query(action)))

    async def _wait(self, action: dict[str, Any]) -> dict[str, Any]:
        end = time.perf_counter() + action["timeout"]
        while True:
            status, body = await self._ask("GET", "/status" + _query(action))
            if status != 200 or body.get("status") in action["until"]:
                return self._plain((status, body))
            if time.perf_counter() > end:
                return {**self._plain((status, body)), "timed_out": True}
            await asyncio.sleep(POLL_S)

    async def _log(self, action: dict[str, Any]) -> dict[str, Any]:
        status, body = await self._ask("GET", "/log" + _query(action))
        return {"http": status, "body": self._timed(body, "t")}

    async def _subscribe(self, action: dict[str, Any]) -> dict[str, Any]:
        status, body = await self._ask("POST", "/subscribe", _chosen(action, "id", "workflow", "ms", "options", "all"))
        if "events" in body:
            return {"http": status, "body": {"events": self._timed(body["events"], "timestamp")}}
        return self._plain((status, body))

    async def _rest(self, action: dict[str, Any]) -> dict[str, Any]:
        return self._plain(await self._ask(action["method"], REST + action["path"], action.get("body")))

    async def _http(self, action: dict[str, Any]) -> dict[str, Any]:
        return self._plain(await self._ask(action["method"], action["path"], action.get("body")))

    async def _kill(self, action: dict[str, Any]) -> None:
        await self._target.kill(signal.Signals["SIG" + action["signal"]])

    async def _start(self, action: dict[str, Any]) -> None:
        await self._target.start()
        self._collector.note(None, "server ready")

    async def _collected(self, action: dict[str, Any]) -> dict[str, Any]:
        mine = [note for note in self._collector.notes if note["id"] in (action["id"], None)]
        entries = self._timed([{key: note[key] for key in ("t", "tag", "value")} for note in mine], "t")
        booted = 0.0
        for entry in entries:  # how long a start takes is no behaviour
            if entry["tag"] == "server ready":
                booted = entry["dt"]
            entry["dt"] = round(entry["dt"] - booted, 1)
        return {"http": 200, "body": entries}

    async def _post(self, path: str, action: dict[str, Any], *keys: str) -> dict[str, Any]:
        return self._plain(await self._ask("POST", path, _chosen(action, "id", "workflow", *keys)))

    async def _ask(self, method: str, path: str, body: Json = None) -> tuple[int, Any]:
        try:
            async with self._session.request(
                method,
                self._target.url + path,
                json=None if method == "GET" else body,
                timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            ) as answer:
                text = await answer.text()
                try:
                    return answer.status, json.loads(text)
                except ValueError:
                    return answer.status, {"$text": text[:500]}
        except TimeoutError:
            return 0, {"$client": f"timeout {ANSWER_S} s"}
        except aiohttp.ClientError as error:
            return 0, {"$client": type(error).__name__}

    # Between the scenario's words and the server's

    def _id(self, alias: str) -> str:
        return self._ids.setdefault(alias, f"i{self._run}{alias[1:]}")

    def _unaliased(self, value: Json) -> Any:
        if isinstance(value, str):
            return _ALIAS.sub(lambda match: self._id(match[0]), value)
        if isinstance(value, list):
            return [self._unaliased(item) for item in value]
        if isinstance(value, dict):
            return {key: item if key == "program" else self._unaliased(item) for key, item in value.items()}
        return value

    def _plain(self, answer: tuple[int, Json]) -> dict[str, Any]:
        return {"http": answer[0], "body": self._scrubbed(answer[1])}

    def _timed(self, entries: Json, key: str) -> Any:
        """Entries with `dt`, the seconds since the first of them, instead of a time."""
        if not isinstance(entries, list):
            return self._scrubbed(entries)
        start = next((entry[key] for entry in entries if key in entry), None)
        timed = []
        for entry in entries:
            rest = self._scrubbed({name: item for name, item in entry.items() if name != key})
            timed.append({"dt": round((entry[key] - start) / 1000, 1), **rest} if key in entry else rest)
        return timed

    def _scrubbed(self, value: Json) -> Any:
        """`value` without what differs from run to run."""
        if isinstance(value, dict):
            masks = {"program": "<program>", "collector": "<url>"}
            return {key: masks.get(key) or self._scrubbed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._scrubbed(item) for item in value]
        if isinstance(value, str):
            for alias, id in sorted(self._ids.items(), key=lambda pair: -len(pair[1])):
                value = value.replace(id, alias)
            for pattern, mask in SCRUBBED:
                value = pattern.sub(mask, value)
            return value
        is_time = isinstance(value, (int, float)) and 1.6e12 < value < 2.5e12
        return "<ms>" if is_time else value


def _chosen(action: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: action[key] for key in keys if key in action}


def _query(action: dict[str, Any]) -> str:
    query = f"?id={action['id'].rstrip('!')}"
    return f"{query}&workflow={action['workflow']}" if "workflow" in action else query
