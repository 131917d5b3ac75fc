"""The engine: instances of workflows as durable actors.

May import storage and clock of the emulator, and the SDK. It knows no configuration files and no HTTP.
"""

from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.engine import Engine, open_database
from cfworkflows_emulator.engine.journal.diagnosis import Diagnosis
from cfworkflows_emulator.engine.journal.state import Status
from cfworkflows_emulator.engine.results import REDACTED

__all__ = ["REDACTED", "Diagnosis", "Engine", "Status", "WorkflowDefinition", "open_database"]
