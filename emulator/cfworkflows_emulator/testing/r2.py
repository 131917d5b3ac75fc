"""R2 buckets in tests: `R2()` for FakeEnv, empty or with objects."""

from collections.abc import Mapping
from typing import Any

from cfworkflows_bindings import R2Binding
from cfworkflows_emulator.config import R2_BUCKETS
from cfworkflows_emulator.config.kinds.r2 import R2Section
from cfworkflows_emulator.runtime import Resources, Worker
from cfworkflows_emulator.testing.kit import KitKind


class R2:
    """A bucket for FakeEnv, in memory: `FakeEnv(FILES=R2(), ASSETS=R2({"a.txt": "text", "b.bin": b"…"}))`."""

    def __init__(self, objects: Mapping[str, str | bytes] | None = None) -> None:
        self._objects = {
            key: body.encode() if isinstance(body, str) else bytes(body) for key, body in (objects or {}).items()
        }

    def section(self, binding: str, /) -> R2Section:
        return R2Section(binding)

    def define(self, section: R2Section, worker: Worker, resources: Resources, /) -> None:
        """Store the objects."""
        bucket: R2Binding = getattr(worker.env, section.binding)
        for key, body in self._objects.items():
            bucket.fill(key, body)


class R2Faked(KitKind[R2Section]):
    """The Worker's own buckets are what a test sees."""

    kind = R2_BUCKETS

    def fake(self, value: Any, /) -> R2 | None:
        return value if isinstance(value, R2) else None


R2_FAKED = R2Faked()
