"""R2 buckets."""

from cfworkflows.types import R2Bucket
from cfworkflows_emulator.analysis.kinds.kind import TypedKind
from cfworkflows_emulator.config import R2_BUCKETS as KIND
from cfworkflows_emulator.config.kinds.r2 import R2Section


class R2Types(TypedKind[R2Section]):
    """`R2Bucket`, whatever is in it."""

    kind = KIND
    promise = R2Bucket


R2_BUCKETS = R2Types()
