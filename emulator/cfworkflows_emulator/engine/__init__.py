"""The engine: instances of workflows as durable actors.

May import actors, storage and clock of the emulator, and the SDK. It knows no configuration files and no HTTP.
"""

from cfworkflows_emulator.engine.database import open_database
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.engine import Engine
from cfworkflows_emulator.engine.feed import Feed
from cfworkflows_emulator.engine.fork import NO_OUTPUT, fork
from cfworkflows_emulator.engine.intake import encoded
from cfworkflows_emulator.engine.journal.contents import described
from cfworkflows_emulator.engine.journal.diagnosis import Diagnosis
from cfworkflows_emulator.engine.journal.entries import EVENT_TYPES, Entry
from cfworkflows_emulator.engine.journal.schema import MIGRATIONS
from cfworkflows_emulator.engine.journal.selection import Selection
from cfworkflows_emulator.engine.journal.sizes import MAX_STATE_BYTES, MAX_VALUE_BYTES, shown_size, size_of
from cfworkflows_emulator.engine.journal.state import Status
from cfworkflows_emulator.engine.journal.store import Beginning, InstanceRow
from cfworkflows_emulator.engine.journal.streams import Chunk, StoredStream
from cfworkflows_emulator.engine.killing import end_as_it_is
from cfworkflows_emulator.engine.run.branch import branch_task
from cfworkflows_emulator.engine.run.code import RUN_IN_TASK
from cfworkflows_emulator.engine.run.results import REDACTED, is_sensitive, open_stream, result_of, shown_output
from cfworkflows_emulator.engine.run.step_wait import check_event_type, is_event_type
from cfworkflows_emulator.engine.run.streams import is_stream
from cfworkflows_emulator.engine.run.tasks import WRAPPERS
from cfworkflows_emulator.engine.settings import DEFAULTS, EngineSettings
from cfworkflows_emulator.engine.subscription import Subscription

__all__ = [
    "DEFAULTS",
    "EVENT_TYPES",
    "MAX_STATE_BYTES",
    "MAX_VALUE_BYTES",
    "MIGRATIONS",
    "NO_OUTPUT",
    "REDACTED",
    "RUN_IN_TASK",
    "WRAPPERS",
    "Beginning",
    "Chunk",
    "Diagnosis",
    "Engine",
    "EngineSettings",
    "Entry",
    "Feed",
    "InstanceRow",
    "Selection",
    "Status",
    "StoredStream",
    "Subscription",
    "WorkflowDefinition",
    "branch_task",
    "check_event_type",
    "described",
    "encoded",
    "end_as_it_is",
    "fork",
    "is_event_type",
    "is_sensitive",
    "is_stream",
    "open_database",
    "open_stream",
    "result_of",
    "shown_output",
    "shown_size",
    "size_of",
]
