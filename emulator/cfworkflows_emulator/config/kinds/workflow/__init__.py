"""`workflows`: Workflows of this Worker, and of others.

`kind` has the types and what is checked among the Workers of a session, `rules` what is checked in one file, `classes`
what is checked against the code.
"""

from cfworkflows_emulator.config.kinds.workflow.kind import WORKFLOWS

__all__ = ["WORKFLOWS"]
