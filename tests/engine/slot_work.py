"""Work that holds a slot until it is ended, and what the tests of admission ask of a server."""

import asyncio


class Work:
    """A workflow whose callback runs until `end(id)`. `began` are the ids in the order in which theirs began."""

    def __init__(self):
        self.began = []
        self._changed = asyncio.Condition()
        self._ended = set()

    async def run(self, event, step):
        async def work():
            async with self._changed:
                self.began.append(event.instance_id)
                self._changed.notify_all()
                await self._changed.wait_for(lambda: event.instance_id in self._ended)

        await step.do("work", work)

    async def end(self, *ids):
        async with self._changed:
            self._ended.update(ids)
            self._changed.notify_all()

    async def until_began(self, *ids):
        async with self._changed:
            await self._changed.wait_for(lambda: list(ids) == self.began)


async def create(server, *ids):
    return [await server[server.classes[0]].create(id=id) for id in ids]


async def statuses(server, *ids):
    return [(await (await server.get(id)).status()).status for id in ids]


async def until(condition):
    while not condition():  # noqa: ASYNC110 - what it looks at belongs to the engine, which tells nobody
        await asyncio.sleep(0)


def slots(server):
    """Those who hold a slot, and those who wait for one, of the only workflow."""
    known = server.engine._admission._slots.values()
    return sum(len(each.holders) for each in known), sum(len(each.queued) for each in known)
