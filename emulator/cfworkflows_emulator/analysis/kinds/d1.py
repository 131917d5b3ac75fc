"""D1 databases."""

from cfworkflows.types import D1Database
from cfworkflows_emulator.analysis.kinds.kind import TypedKind
from cfworkflows_emulator.config import D1_DATABASES as KIND
from cfworkflows_emulator.config.kinds.d1 import D1Section


class D1Types(TypedKind[D1Section]):
    """`D1Database`, whatever its tables are."""

    kind = KIND
    promise = D1Database


D1_DATABASES = D1Types()
