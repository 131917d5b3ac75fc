"""Writes `schema-N.sql` for the schema of today: what the Worker of this folder leaves behind, as text."""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from cfworkflows_bindings import WorkflowBinding
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.engine import MIGRATIONS
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.storage.connection import APPLICATION_ID

HERE = Path(__file__).parent
INSTANCES = {
    "order": ["complete", "asleep", "retried"],
    "approval": ["waiting", "paused", "terminated"],
    "refused": ["errored"],
}


async def live(state):
    config = load_config(HERE / "wrangler.toml", cwd=HERE, process_env={})
    clock = VirtualClock()
    async with Project.open(config, clock=clock, state=state) as project:
        for workflow, ids in INSTANCES.items():
            for id in ids:
                await WorkflowBinding(project.engine, workflow).create(id=id, params={"item": id})
                await clock.advance(10)
        approvals = WorkflowBinding(project.engine, "approval")
        await (await approvals.get("paused")).pause()
        await (await approvals.get("terminated")).terminate()
        await clock.settle()


def record():
    number = len(MIGRATIONS)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder)))
        with closing(sqlite3.connect(Path(folder) / "workflows.sqlite")) as connection:
            text = "\n".join(connection.iterdump()).replace(f"{HERE}/", "")
    text += f"\nPRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\n"
    (HERE / f"schema-{number}.sql").write_text(text)


if __name__ == "__main__":
    record()
