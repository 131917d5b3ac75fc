"""Plays a scenario of the bindings, a list of actions on a server, and writes down the answers as the recordings have
them.
"""

import asyncio
import contextlib
import http.client
import json
import re
import signal
import time
import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
from target import Target

Json = Any
POLL_S = 0.05
ENOUGH = 900
"""Writes of a storm: the one list that counts them has a thousand at most."""
LONGEST_TEXT = 600
_ALIAS = re.compile(r"(?<![\w@.])@([a-z])(?![a-zA-Z0-9])")
_OWN_TIMES = ("1970", "2000", "2020", "2099")
_MASKED = {
    "uploadId": "<token>", "cursor": "<cursor>", "duration": "<ms>", "sql_duration_ms": "<ms>", "size_after": "<size>",
    "version": "<version>", "databaseSize": "<size>", "messageId": "<id>", "persistenceScope": "<id>",
}  # fmt: skip
_SCRUBBED = (
    (re.compile(r"internal error; reference = \w+"), "internal error; reference = <id>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}\b"), "<bookmark>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(rf"\b(?!{'|'.join(_OWN_TIMES)})\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<date>"),
    (re.compile(r"\b1[6-9]\d{8}(?:\d{3})?\b"), "<time>"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:<port>"),
)
_HEX64 = re.compile(r"\b[0-9a-f]{64}\b")
_MS, _SECONDS = (1.6e12, 2.5e12), (1.6e9, 2.5e9)
_NOT_OF_THE_ANSWER = {"date", "connection", "keep-alive", "server", "transfer-encoding"}


class BindingsPlayer:
    """One run of a scenario. `@a` is a name, unique for each run, and put back in the answers. With `keywords` the
    programs write the options of their calls as keywords.
    """

    def __init__(self, session: aiohttp.ClientSession, target: Target, *, keywords: bool = False) -> None:
        self._session = session
        self._target = target
        self._run_path = "/run?form=keywords" if keywords else "/run"
        self._run_id = uuid.uuid4().hex[:8]
        self._names: dict[str, str] = {}
        self._mark = time.time() * 1000

    async def play(self, scenario: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers to the actions that have one: `{"action": "run", "out": […]}`."""
        answers = []
        for action in scenario["actions"]:
            known = self._named(action)
            answer = await getattr(self, "_" + action["action"])(known)
            if answer is not None:
                about = known.get("path") if action["action"] == "http" else known.get("tag")
                named = f"{action['action']} {about}" if about and action["action"] in ("http", "log") else None
                answers.append({"action": named or action["action"], **answer})
        return [self._normal(answer) for answer in answers]

    async def _run(self, action: Json) -> Json:
        self._mark = time.time() * 1000
        status, answer = await self._post(self._run_path, {"program": action["program"]})
        return {"out": answer["out"]} if status == 200 and "out" in answer else {"http": status, "body": answer}

    async def _sleep(self, action: Json) -> None:
        await asyncio.sleep(action["s"])

    async def _kill(self, action: Json) -> None:
        await self._target.kill(signal.Signals[f"SIG{action.get('signal', 'KILL')}"])

    async def _start(self, action: Json) -> None:
        await self._target.start()
        self._mark = time.time() * 1000

    async def _http(self, action: Json) -> Json:
        return await asyncio.to_thread(self._raw, action)

    async def _reset(self, action: Json) -> None:
        await self._post(f"/log/reset?tag={action['tag']}", {})

    async def _quiet(self, action: Json) -> None:
        """Wait until nothing more is noted."""
        count, since = -1, time.perf_counter()
        while time.perf_counter() - since < action["s"]:
            now = len(await self._notes(action["tag"]))
            if now != count:
                count, since = now, time.perf_counter()
            await asyncio.sleep(POLL_S)

    async def _log(self, action: Json) -> Json:
        end = time.perf_counter() + action.get("timeout", 8)
        notes = await self._notes(action["tag"])
        while sum(note.get("size", 1) for note in notes) < action["min"] and time.perf_counter() < end:
            await asyncio.sleep(POLL_S)
            notes = await self._notes(action["tag"])
        if action.get("settle"):
            await asyncio.sleep(action["settle"])
            notes = await self._notes(action["tag"])
        if not action.get("dt", True):
            return {"log": [{key: item for key, item in note.items() if key != "t"} for note in notes]}
        return {"log": [{"dt": round(max(0, note.pop("t") - self._mark) / 1000, 1), **note} for note in notes]}

    async def _storm(self, action: Json) -> Json:
        """Clients write without pause, the server is killed in the middle and started again: what was acknowledged is
        to be there.
        """
        acknowledged, stopped = 0, False
        enough = asyncio.Event()

        async def client(number: int) -> None:
            nonlocal acknowledged
            written = 0
            while not stopped:
                write = json.loads(json.dumps(action["write"]).replace("{n}", f"{number}-{written}"))
                status, answer = await self._post(self._run_path, {"program": [write]})
                if status == 0:
                    return
                acknowledged += status == 200 and '"e":' not in json.dumps(answer)
                if acknowledged >= ENOUGH:
                    enough.set()
                written += 1

        clients = action.get("clients", 4)
        tasks = [asyncio.create_task(client(number)) for number in range(clients)]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(enough.wait(), action["s"])
        await self._target.kill()
        stopped = True
        await asyncio.gather(*tasks)
        await self._target.start()
        _, answer = await self._post(self._run_path, {"program": action["count"]})
        there = answer["out"][-1]["v"]
        lost, more = there < acknowledged, there > acknowledged + clients
        return {"storm": {"some": acknowledged > 5, "lost": lost, "more_than_in_flight": more}}

    async def _notes(self, tag: str) -> Json:
        async with self._session.get(f"{self._target.url}/log", params={"tag": tag}) as answer:
            return await answer.json(content_type=None)

    async def _post(self, path: str, body: Json) -> tuple[int, Json]:
        """Status and body; 0 where there is no answer."""
        try:
            async with self._session.post(self._target.url + path, json=body) as answer:
                text = await answer.text()
        except aiohttp.ClientError as error:
            return 0, {"$client": type(error).__name__}
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, {"$text": text.split("\n")[0][:300]}

    def _raw(self, action: Json) -> Json:
        """An exact request: path and headers as they are written, no redirects, no decoding."""
        headers = action.get("headers", {})
        given = {name.lower() for name in headers}
        connection = http.client.HTTPConnection(*self._target.url.split("//")[1].split(":"), timeout=30)  # type: ignore[arg-type]
        try:
            method = action.get("method", "GET")
            connection.putrequest(method, action["path"], skip_accept_encoding=True, skip_host="host" in given)
            body = action.get("body")
            data = body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, list) else body
            for name, value in headers.items():
                connection.putheader(name, value)
            if data is not None:
                connection.putheader("content-length", str(len(data)))
            connection.endheaders(data)
            answer = connection.getresponse()
            return _as_recorded(action, answer.status, answer.getheaders(), answer.read())
        except (OSError, http.client.HTTPException) as error:
            return {"http": 0, "client": type(error).__name__}
        finally:
            connection.close()

    def _named(self, value: Json) -> Json:
        """What is in an action, with names of this run."""
        return _each_text(value, lambda text: _ALIAS.sub(self._name, text))

    def _name(self, alias: re.Match[str]) -> str:
        return self._names.setdefault(alias[0], f"n{self._run_id}{alias[1]}")

    def _normal(self, value: Json, key: str | None = None) -> Json:
        """An answer without what is different each time."""
        if isinstance(value, dict):
            found = {self._text(name): self._normal(item, name) for name, item in value.items()}
            if "changed_db" in found and not found.get("changes"):
                found["last_row_id"] = "<last>"
                if found["changed_db"]:
                    found["rows_read"] = found["rows_written"] = "<schema>"
            return found
        if isinstance(value, list):
            if len(value) == 2 and value[0] in ("date", "age") and isinstance(value[1], str):
                return [value[0], f"<{value[0]}>"]
            return [self._normal(item) for item in value]
        if key in _MASKED and value is not None and not isinstance(value, bool):
            return _MASKED[key]
        if isinstance(value, str):
            return self._text(value, key)
        return _without_time(value)

    def _text(self, text: str, key: str | None = None) -> str:
        for alias, name in self._names.items():
            text = text.replace(name, alias)
        if key == "etag" and len(text) > 80:
            return "<token>"
        for pattern, replacement in _SCRUBBED:
            text = pattern.sub(replacement, text)
        return text if key == "sha256" else _HEX64.sub("<hex64>", text)


def _without_time(value: Json) -> Json:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if _MS[0] < value < _MS[1]:
        return "<ms>"
    if _SECONDS[0] < value < _SECONDS[1]:
        return "<s>"
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _each_text(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): _each_text(item, change) for key, item in value.items()}
    return value


def _as_recorded(action: Json, status: int, headers: list[tuple[str, str]], data: bytes) -> Json:
    pairs = sorted([name.lower(), value] for name, value in headers if name.lower() not in _NOT_OF_THE_ANSWER)
    if action.get("only") is not None:
        pairs = [pair for pair in pairs if pair[0] in action["only"]]
    for pair in pairs:
        if pair[0] == "age":
            pair[1] = "<age>"
        if pair[0] == "etag":
            pair[1] = re.sub(r'"[0-9a-f]{32}"', '"<etag>"', pair[1])
    if any(name == "content-encoding" for name, _ in pairs):
        shown = [pair for pair in pairs if pair[0] != "content-length"]
        return {"http": status, "headers": shown, "body": {"$encoded": len(data) > 0}}
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"http": status, "headers": pairs, "body": {"$bytes": list(data[:32]), "length": len(data)}}
    if action.get("json"):
        try:
            shown = [pair for pair in pairs if pair[0] == "content-type"]
            return {"http": status, "headers": shown, "body": json.loads(text)}
        except ValueError:
            pass
    if status >= 500:
        shown = [pair for pair in pairs if pair[0] != "content-length"]
        return {"http": status, "headers": shown, "body": text.split("\n")[0][:300]}
    body = {"$str": len(text), "head": text[:40]} if len(text) > LONGEST_TEXT else text
    return {"http": status, "headers": pairs, "body": body}
