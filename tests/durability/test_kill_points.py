"""A worker that dies before and after all that matters, with each kind of workflow: `doomed.py` has the points."""

import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from contract import History
from served import NO_ANSWER, Served
from storm import KINDS

POINTS = ("commit:before", "commit:inside", "commit:after", "checkpoint:before", "checkpoint:after")
POINTS += ("callback:before", "callback:after", "answer:before")


class Doomed(Served):
    def __init__(self, folder):
        self.doom, self.passed = folder / "doom", folder / "passed"
        program = [sys.executable, str(Path(__file__).parent / "doomed.py")]
        super().__init__(folder, command=program, env={"DOOM": str(self.doom), "PASSED": str(self.passed)})

    def arm(self, point, nth):
        new = self.doom.with_suffix(".new")
        new.write_text(json.dumps({"point": point, "nth": nth}))
        new.replace(self.doom)

    def disarm(self):
        """Whether the worker has died since it was armed."""
        try:
            self.doom.unlink()
        except FileNotFoundError:
            return True
        return False

    async def insist(self, method, path, body=None):
        """The answer, from whichever worker gives one: a request is repeated until there is one."""
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self.ask(method, path, body)
                except NO_ANSWER:
                    await asyncio.sleep(0.02)

    async def instance(self, workflow, id):
        return (await self.insist("GET", f"/workflows/{workflow}/instances/{id}"))[1]["result"]

    async def live(self, kind, id):
        """One instance from its creation to its end, and what it sends of its own accord."""
        await self.insist("POST", f"/workflows/{kind}/instances", {"id": id})
        if kind == "waiter":
            for payload in ("item", "end"):
                await self.insist("POST", f"/workflows/{kind}/instances/{id}/events/item", payload)
        await self.until(kind, id, "complete", "errored")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "every", [pytest.param(False, id="some"), pytest.param(True, id="every", marks=pytest.mark.soak)]
)
async def test_killed_at_any_point_an_instance_ends_as_if_nothing_had_happened(tmp_path, kind, every):
    """Its output and its effects keep the contract, for each point and each time that it is passed (or two of them)."""
    served = Doomed(tmp_path)
    seed = random.randrange(2**32)
    print("seed", seed)
    choice = random.Random(seed)
    async with served:
        served.arm("none", 0)
        await served.live(kind, "undisturbed")
        served.disarm()
        times = Counter(served.passed.read_text().split())
        deaths = Counter()
        for point in POINTS:
            passed = range(1, times[point] + 1)
            for nth in passed if every else {1, choice.choice(passed)}:
                served.arm(point, nth)
                await served.live(kind, f"{point.replace(':', '-')}-{nth}")
                deaths[point] += served.disarm()
        assert set(POINTS) == {point for point in POINTS if deaths[point]}, times
        assert 0 == await served.stop()
    assert sum(deaths.values()) == served.text.count("was ended by SIGKILL")
    history = History(served.database, served.effects)
    history.check()
    for name in history.status:
        history.check_end(name)
