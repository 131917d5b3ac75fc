"""What the Local Explorer says of a kind of binding."""

from typing import Any, Generic

from cfworkflows_emulator.config import Kind, S


class ExplorerKind(Generic[S]):
    """How the bindings of `kind` are listed among those of a Worker: under the key `group`."""

    kind: Kind[S]
    group: str

    def described(self, section: S, worker: str, /) -> dict[str, Any]:
        """A binding of the Worker `worker`, as the platform's local server describes it."""
        raise NotImplementedError
