"""What leaves `run()` between steps: nothing that rests on a result which a crash can still take back."""

import sqlite3
from contextlib import closing

import pytest

from cfworkflows import Response, fetch
from cfworkflows.http.fetch import _Exchange
from cfworkflows_bindings.service import ServiceBinding


@pytest.mark.parametrize("way", ["fetch", "service"])
async def test_a_request_leaves_when_what_it_rests_on_is_durable(serve, monkeypatch, way):
    """A result is seen before it is on the disk, by code between steps too; a request waits until it is."""
    path, seen, sent = [], [], []

    def on_disk():
        """How many results of steps another process would find."""
        with closing(sqlite3.connect(path[0])) as connection:
            query = "SELECT count(*) FROM journal WHERE type = 'step_completed'"
            return connection.execute(query).fetchone()[0]

    async def answer(*request):
        sent.append(on_disk())
        return Response("ok")

    monkeypatch.setattr(_Exchange, "send", answer)

    async def run(step):
        for number in (1, 2):
            await step.do("a", lambda number=number: number)
            seen.append(on_disk())
            if way == "service":
                await ServiceBinding(answer, "other").fetch("http://other/")
            else:
                await fetch("http://localhost/")

    server = await serve(run, file=True)
    path.append(await server.database.run(lambda connection: connection.execute("PRAGMA database_list").fetchone()[2]))
    await server.finish(await server.create())
    assert [1, 2] == sent
    assert [0, 1] == seen


async def test_a_request_of_a_callback_waits_for_nothing(serve, monkeypatch):
    """Its attempt is durable already."""
    turns = []

    async def answer(*request):
        return Response("ok")

    monkeypatch.setattr(_Exchange, "send", answer)

    async def run(step):
        async def callback():
            flushed = server.engine.store.flushed
            monkeypatch.setattr(server.engine.store, "flushed", lambda: turns.append(1) or flushed())
            await fetch("http://localhost/")
            monkeypatch.setattr(server.engine.store, "flushed", flushed)

        await step.do("a", callback)

    server = await serve(run)
    await server.finish(await server.create())
    assert [] == turns
