"""A Worker's code, loaded and ready to be called: the module, its entrypoints, its `env`, and the engine behind it.

`Project.open` puts a configuration and its Worker together; the server and the tests stand on it. May import the
engine, the configuration and the bindings.
"""

from cfworkflows_emulator.runtime.deliver import deliver
from cfworkflows_emulator.runtime.dormant import DormantProject
from cfworkflows_emulator.runtime.loading import WorkerLoadError
from cfworkflows_emulator.runtime.project import Project
from cfworkflows_emulator.runtime.timeline import Timeline
from cfworkflows_emulator.runtime.worker import Worker

__all__ = ["DormantProject", "Project", "Timeline", "Worker", "WorkerLoadError", "deliver"]
