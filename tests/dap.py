"""A small client of the Debug Adapter Protocol, as an editor is one: what a test needs to attach to debugpy."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress


class Editor:
    """A connection to an adapter. Requests give the body of their answer; events are kept until they are waited for."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._sent = 0
        self._answers = {}
        self._events = {}
        self._reading = asyncio.create_task(self._read())

    async def attach(self, breakpoints):
        """Attach as VS Code does. `breakpoints` has the numbers of lines of each file."""
        await self.ask("initialize", adapterID="debugpy", pathFormat="path")
        attached = asyncio.create_task(self.ask("attach", restart=True, justMyCode=True))
        await self.event("initialized")
        for path, lines in breakpoints.items():
            await self.ask("setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": line} for line in lines])
        await self.ask("configurationDone")
        await attached
        return self

    async def halted(self):
        """Wait for a halt; gives the thread, and the innermost frame."""
        stopped = await self.event("stopped")
        frames = await self.ask("stackTrace", threadId=stopped["threadId"])
        return stopped["threadId"], frames["stackFrames"][0]

    async def evaluate(self, expression, frame):
        return (await self.ask("evaluate", expression=expression, frameId=frame["id"], context="repl"))["result"]

    async def go_on(self, thread):
        await self.ask("continue", threadId=thread)

    async def ask(self, command, **arguments):
        self._sent += 1
        answer = self._answers[self._sent] = asyncio.get_running_loop().create_future()
        text = json.dumps({"seq": self._sent, "type": "request", "command": command, "arguments": arguments}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
        async with asyncio.timeout(30):
            return await answer

    async def event(self, name):
        async with asyncio.timeout(30):
            return await self._queue(name).get()

    def _queue(self, name):
        return self._events.setdefault(name, asyncio.Queue())

    async def _read(self):
        while header := await self._reader.readline():
            await self._reader.readline()
            message = json.loads(await self._reader.readexactly(int(header.split(b":")[1])))
            if message["type"] == "event":
                self._queue(message["event"]).put_nowait(message.get("body"))
            elif message["type"] == "response":
                answer = self._answers.pop(message["request_seq"])
                if message["success"]:
                    answer.set_result(message.get("body"))
                else:
                    answer.set_exception(RuntimeError(message["message"]))

    async def close(self):
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        self._writer.close()


@asynccontextmanager
async def editor(port):
    """An editor that is connected with the adapter on `port`."""
    connected = Editor(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield connected
    finally:
        await connected.close()
