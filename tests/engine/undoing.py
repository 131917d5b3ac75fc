"""What the tests of rollback share: a record of what was undone, and the outcome of a rollback."""

ONCE = {"retries": {"limit": 0, "delay": 0}}


def fail():
    raise ValueError("no money")


class Undone:
    """Handlers that note the name of their step and, in `calls`, what they got."""

    def __init__(self):
        self.names = []
        self.calls = []

    def __call__(self, failing=0, with_error=ValueError):
        left = [failing]

        async def undo(rollback):
            self.names.append(rollback.ctx.step.name)
            self.calls.append(rollback)
            if left[0]:
                left[0] -= 1
                raise with_error("cannot undo")

        return {"rollback": undo}


def outcome(status):
    error = status.rollback.error
    return status.rollback.outcome, error and (error.name, error.message)


async def rolled_back(server, instance):
    """The entries of the journal that tell of the rollback and of the end."""
    return [entry for entry in await server.journal(instance) if entry.startswith(("rollback", "workflow_e"))]
