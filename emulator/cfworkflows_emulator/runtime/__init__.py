"""A Worker's code, loaded and ready to be called: the module, its entrypoints, its `env`, and the engine behind it.

`Project.open` puts a configuration and its Worker together; the server and the tests stand on it. `bindings` builds
`env`: each of the `kinds` makes its own, over `resources` that all Workers of a session share. May import the engine,
the configuration and the bindings.
"""

from cfworkflows_emulator.runtime.blocking import BlockLimit
from cfworkflows_emulator.runtime.contents import Difference, differences
from cfworkflows_emulator.runtime.crons import fire
from cfworkflows_emulator.runtime.deliver import deliver
from cfworkflows_emulator.runtime.dormant import DormantProject
from cfworkflows_emulator.runtime.events import Message, MessageBatch, ScheduledController
from cfworkflows_emulator.runtime.exports import Exports
from cfworkflows_emulator.runtime.kept import (
    branch_of_save,
    replace_served,
    replace_unserved,
    save_served,
    save_unserved,
)
from cfworkflows_emulator.runtime.kinds import places, runtime_kind
from cfworkflows_emulator.runtime.kinds.d1 import d1_store
from cfworkflows_emulator.runtime.kinds.kv import kv_store
from cfworkflows_emulator.runtime.kinds.workflow import definition_of
from cfworkflows_emulator.runtime.loading import WorkerLoadError
from cfworkflows_emulator.runtime.loop import started_futures_as_tasks
from cfworkflows_emulator.runtime.origin import origin
from cfworkflows_emulator.runtime.peer import take_over
from cfworkflows_emulator.runtime.project import Project, opened_engine
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.time import ProjectTime
from cfworkflows_emulator.runtime.worker import Worker

__all__ = [
    "BlockLimit",
    "Difference",
    "DormantProject",
    "Exports",
    "Message",
    "MessageBatch",
    "Project",
    "ProjectTime",
    "Resources",
    "ScheduledController",
    "Worker",
    "WorkerLoadError",
    "branch_of_save",
    "d1_store",
    "definition_of",
    "deliver",
    "differences",
    "fire",
    "kv_store",
    "opened_engine",
    "origin",
    "places",
    "replace_served",
    "replace_unserved",
    "runtime_kind",
    "save_served",
    "save_unserved",
    "started_futures_as_tasks",
    "take_over",
]
