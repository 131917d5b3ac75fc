"""A storm: clients that create, look and change, while the processes are killed at moments that a seed decides."""

import asyncio
import random
from collections import defaultdict

from contract import History
from served import NO_ANSWER

KINDS = ["sequential", "parallel", "retried", "sleeper", "waiter", "undone", "streamed", "limited"]
CLIENTS = 3
LONGEST_LIFE_S = 0.4


class Storm:
    """Drives `served` through `kills` deaths, and then to its end. What was acknowledged is checked all the time."""

    def __init__(self, served, seed):
        self.served = served
        self.random = random.Random(seed)
        self.kills = 0
        self.unanswered = 0
        self._number = 0
        self._asked = []  # (kind, id) whose creation was asked for
        self._created = set()
        self._terminated = set()  # acknowledged
        self._maybe_terminated = set()
        self._paused = set()
        self._maybe_paused = set()
        self._sent = defaultdict(list)  # all that was sent, in order, by id of the waiter
        self._acknowledged = defaultdict(list)
        self._results = {}

    async def blow(self, kills):
        served = self.served
        served.start()
        while self.kills < kills:
            await served.ready()
            clients = [asyncio.create_task(self._client(number)) for number in range(CLIENTS)]
            await asyncio.sleep(self.random.random() ** 2 * LONGEST_LIFE_S)
            how = self.random.choices(["group", "worker", "supervisor", "early"], [5, 3, 1, 1])[0]
            if how == "worker":  # and once more: the next one dies as it starts
                for _ in range(self.random.choice([1, 1, 2])):
                    await served.kill_worker()
                    await asyncio.sleep(self.random.random() * 0.2)
                self.kills += 1
            if how == "supervisor":
                await served.kill_supervisor()
            else:
                served.kill()
            for client in clients:
                client.cancel()
            for outcome in await asyncio.gather(*clients, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            self.kills += 1
            served.start()
            if how == "early":  # while it starts
                await asyncio.sleep(self.random.random() * 0.5)
                served.kill()
                self.kills += 1
                served.start()
        await served.ready()

    async def _client(self, number):
        ways = [(self._create, 4), (self._look, 4), (self._send, 4), (self._pause, 1), (self._terminate, 1)]
        for _ in range(20):
            act = self.random.choices([way for way, _ in ways], [weight for _, weight in ways])[0]
            try:
                await act(number)
            except NO_ANSWER:
                self.unanswered += 1
                await asyncio.sleep(0.05)

    async def _create(self, number):
        kind = self.random.choice(KINDS)
        id = f"{self._number}-of-{number}"
        self._number += 1
        self._asked.append((kind, id))
        status, answer = await self.served.create(kind, id)
        assert 200 == status, answer
        self._created.add((kind, id))

    async def _look(self, number):
        if self._created:
            await self._look_at(*self.random.choice(sorted(self._created)))

    async def _look_at(self, kind, id):
        # What was known before the question is to be in the answer; what others do meanwhile may be.
        was_terminated, was_paused = id in self._terminated, id in self._paused
        found = await self.served.instance(kind, id)
        assert found is not None, f"{kind}/{id} was acknowledged, and is lost"
        if was_terminated:
            assert "terminated" == found["status"], f"{kind}/{id} was terminated, and is {found['status']}"
        elif was_paused:
            paused = ("paused", "waitingForPause", *(["terminated"] if id in self._maybe_terminated else []))
            assert found["status"] in paused, f"{kind}/{id} was paused, and is {found['status']}"
        for step in found["steps"]:
            if step.get("success") and step.get("output") is not None:
                place = (kind, id, step["name"])
                assert step["output"] == self._results.setdefault(place, step["output"]), f"{place} was computed again"

    def _own(self, kind, number):
        """One of the instances that only this client changes."""
        mine = [id for each, id in self._asked if each == kind and id.endswith(f"-of-{number}")]
        return self.random.choice(mine) if mine else None

    async def _send(self, number):
        if (id := self._own("waiter", number)) is not None and id not in self._maybe_terminated:
            payload = f"{id}/{len(self._sent[id])}"
            self._sent[id].append(payload)
            status, answer = await self.served.ask("POST", f"/workflows/waiter/instances/{id}/events/item", payload)
            if status == 200:
                self._acknowledged[id].append(payload)
            else:
                assert ("waiter", id) not in self._created, answer

    async def _change(self, kind, id, status):
        return (await self.served.ask("PATCH", f"/workflows/{kind}/instances/{id}/status", {"action": status}))[0]

    async def _pause(self, number):
        if (id := self._own("sleeper", number)) is not None:
            self._maybe_paused.add(id)
            if await self._change("sleeper", id, "pause") == 200:
                found = await self.served.instance("sleeper", id)
                if found["status"] != "complete":  # a pause that comes with the end of the last step
                    self._paused.add(id)

    async def _terminate(self, number):
        kind = self.random.choice(["sleeper", "waiter"])
        if (id := self._own(kind, number)) is not None:
            self._maybe_terminated.add(id)
            if await self._change(kind, id, "terminate") == 200:
                self._terminated.add(id)

    async def calm(self):
        """Bring all to their ends, stop the server, and check what is on the disk."""
        for kind, id in self._created:
            await self._look_at(kind, id)
        names = []
        for kind, id in self._asked:
            found = await self.served.instance(kind, id)
            if found is None:
                assert (kind, id) not in self._created, f"{kind}/{id} was acknowledged, and is lost"
                continue
            names.append(f"{kind}/{id}")
            if id in self._maybe_paused and found["status"] in ("paused", "waitingForPause"):
                assert 200 == await self._change(kind, id, "resume")
            if kind == "waiter" and found["status"] != "terminated":
                await self.served.ask("POST", f"/workflows/waiter/instances/{id}/events/item", "end")
        for name in names:
            await self.served.until(*name.split("/"), "complete", "errored", "terminated")
        for kind, id in self._created:
            await self._look_at(kind, id) if id not in self._paused else None
        assert 0 == await self.served.stop()
        history = History(self.served.database, self.served.effects)
        assert set(names) == set(history.status)
        history.check()
        for name in names:
            id = name.partition("/")[2]
            if history.status[name] == "terminated":
                assert id in self._maybe_terminated, f"{name} was terminated by nobody"
                continue
            history.check_end(name)
            if name.startswith("waiter/"):
                self._check_items(id, history.output(name))
        return history

    def _check_items(self, id, got):
        sent, acknowledged = self._sent[id], self._acknowledged[id]
        assert [payload for payload in sent if payload in got] == got, f"{id}: events in another order, or twice"
        assert [] == [payload for payload in acknowledged if payload not in got], f"{id}: an event is lost"
