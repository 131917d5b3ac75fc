"""Results that cannot be stored."""

import threading

from cfworkflows import Response, WorkflowEntrypoint, fetch


def connect():
    return threading.Lock()  # !unstorable


class Values(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("a", lambda: lambda: 1)  # !unstorable
        await step.do("b", lambda: open("file"))  # !unstorable
        await step.do("c", lambda: fetch("https://example.com"))  # !unstorable
        await step.do("d", lambda: {"items": [(n for n in range(3))]})  # !unstorable
        await step.do("e", connect)

        @step.do("f")
        async def load():
            response = await fetch("https://example.com")
            if response.ok:
                return response  # !unstorable
            return Response.json({"failed": True})  # !unstorable

        await load()
        return map(str, [1])  # !unstorable


class Fine(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("load")
        async def load():
            def parse(text):
                return lambda: text

            response = await fetch("https://example.com")
            return {"status": response.status, "text": parse(await response.text())()}

        await step.do("list", lambda: list(map(str, [1])))
        return await load()
