"""What `cfwf types` writes about a kind of binding."""

from typing import Any, Generic

from cfworkflows_emulator.analysis.annotations import Imports
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.config import Kind, LoadedConfig
from cfworkflows_emulator.config.kinds.kind import S


class TypedKind(Generic[S]):
    """How `env.X` is annotated for the bindings of `kind`. `promise` is its Protocol in the SDK's `types`."""

    kind: Kind[S]
    promise: type[Any]

    def annotated(self, section: S, program: Program, config: LoadedConfig, imports: Imports, /) -> tuple[str, str]:
        """The annotation of a binding and a comment, which may be empty. Adds to `imports` what it needs."""
        imports.add("cfworkflows.types", self.promise.__name__)
        return self.promise.__name__, ""
