"""State folders that older versions wrote: what each schema had is there after it was brought up to date.

`states/schema-N.sql` is a dump of what the Worker beside it left behind under schema N. A new schema adds a file:
`python tests/durability/states/record.py` writes it.
"""

import json
import re
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from cfworkflows_bindings import WorkflowBinding
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.engine import MIGRATIONS
from cfworkflows_emulator.runtime import Project

STATES = Path(__file__).parent / "states"
DUMPS = sorted(STATES.glob("schema-*.sql"))
STATUSES = {
    "order/complete": "complete",
    "order/asleep": "waiting",
    "order/retried": "waiting",
    "approval/waiting": "waiting",
    "approval/paused": "paused",
    "approval/terminated": "terminated",
    "refused/errored": "errored",
}

pytestmark = pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)


@pytest.fixture
def state(dump, tmp_path):
    """A state folder with what the dump holds."""
    with closing(sqlite3.connect(tmp_path / "workflows.sqlite")) as connection:
        connection.executescript(dump.read_text())
    return tmp_path


def journal(state):
    with closing(sqlite3.connect(state / "workflows.sqlite")) as connection:
        return connection.execute(
            "SELECT workflow, id, seq, time, type, step, data, value FROM journal JOIN instances ON key = instance "
            "ORDER BY key, seq"
        ).fetchall()


@asynccontextmanager
async def opened(state):
    """The project of the Worker over the folder, a moment after it was written: it was the time that passed since."""
    clock = VirtualClock(max(time for *_, time, _, _, _, _ in journal(state)) + 1)
    config = load_config(STATES / "wrangler.toml", cwd=STATES, process_env={})
    async with Project.open(config, clock=clock, state=state) as project:
        await clock.settle()
        yield project, clock


async def statuses(project):
    return {
        f"{workflow}/{row.id}": row.status
        for workflow in ("order", "approval", "refused")
        for row in await project.engine.list(workflow)
    }


async def test_everything_is_there(state):
    """Every instance has its status, and no entry of a journal has changed."""
    before = journal(state)
    async with opened(state) as (project, _):
        assert STATUSES == await statuses(project)
        history = await WorkflowBinding(project.engine, "order").get("complete")
        assert ["complete", 1, "done"] == (await history.status()).output
    assert before == journal(state)
    with closing(sqlite3.connect(state / "workflows.sqlite")) as connection:
        assert (len(MIGRATIONS),) == connection.execute("PRAGMA user_version").fetchone()
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()


async def test_what_was_under_way_goes_on(state):
    """Sleepers wake, the failed step is tried again, an event arrives, a pause is taken back: each to its end."""
    async with opened(state) as (project, clock):
        order, approval = (WorkflowBinding(project.engine, name) for name in ("order", "approval"))
        for id in ("waiting", "paused"):
            await (await approval.get(id)).send_event(type="approval", payload=id)
        await clock.advance("1 minute")
        ended = dict.fromkeys(["order/asleep", "order/retried", "approval/waiting"], "complete")
        assert {**STATUSES, **ended} == await statuses(project)
        assert ["asleep", 1, "done"] == (await (await order.get("asleep")).status()).output
        assert ["retried", 2, "done"] == (await (await order.get("retried")).status()).output
        await (await approval.get("paused")).resume()
        await clock.settle()
        assert "paused" == (await (await approval.get("paused")).status()).output
        assert [] == [name for name in ("asleep", "retried") if await project.engine.diagnosis("order", name)]


async def test_what_has_ended_expires(state):
    """A week after its end an instance is deleted, also one that was written before anything expired."""
    async with opened(state) as (project, clock):
        await clock.advance("8 days")
        assert {"approval/waiting", "approval/paused"} == (await statuses(project)).keys()


def test_a_dump_holds_what_its_name_says(dump):
    """Its number is that of its schema, and nothing in it tells where it was written."""
    text = dump.read_text()
    assert re.search(r"schema-(\d+)", dump.name)[1] == re.search(r"user_version = (\d+)", text)[1]
    assert [] == re.findall(r"/(?:tmp|home|work|Users)/", text)
    assert all(json.loads(each) for each in re.findall(r"'(\{\"config\".*?\})'", text))


def test_the_present_schema_has_a_dump(dump):
    """Whoever adds a schema adds a dump of it, for those who come after."""
    assert f"schema-{len(MIGRATIONS)}.sql" in [each.name for each in DUMPS]
