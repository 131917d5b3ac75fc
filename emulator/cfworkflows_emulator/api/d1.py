"""D1 databases, as the Local Explorer lists them."""

from typing import Any

from cfworkflows_emulator.api.kind import ExplorerKind
from cfworkflows_emulator.config import D1_DATABASES
from cfworkflows_emulator.config.kinds.d1 import D1Section


class D1Listed(ExplorerKind[D1Section]):
    """D1 databases among the bindings of a Worker."""

    kind = D1_DATABASES
    group = "d1"

    def described(self, section: D1Section, worker: str, /) -> dict[str, Any]:
        return {"id": section.database, "bindingName": section.binding}


D1_LISTED = D1Listed()
