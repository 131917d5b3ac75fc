"""KV namespaces for FakeEnv."""

from collections.abc import Mapping
from typing import Any

from cfworkflows_emulator.config import KV_NAMESPACES
from cfworkflows_emulator.config.kinds.kv import KVSection
from cfworkflows_emulator.runtime import Resources, Worker
from cfworkflows_emulator.testing.kit import KitKind


class KV:
    """A KV namespace in memory, with what is in it when the test begins; on the clock of the test.

        async with FakeEnv(CACHE=KV({"greeting": "hello"})) as env:
            assert await env.CACHE.get("greeting") == "hello"

    Those with one `id` are one namespace; without an id it is the binding's own.
    """

    def __init__(self, values: Mapping[str, str | bytes] | None = None, *, id: str | None = None) -> None:
        self._values: dict[str, bytes] = {}
        self._id = id
        for key, value in (values or {}).items():
            if not isinstance(key, str) or not isinstance(value, (str, bytes)):
                raise TypeError(f"KV takes a dict of str to str or bytes, not {key!r}: {type(value).__name__}.")
            self._values[key] = value.encode() if isinstance(value, str) else value

    def section(self, binding: str, /) -> KVSection:
        """As a configuration would have it."""
        return KVSection(binding, self._id)

    def define(self, section: KVSection, worker: Worker, resources: Resources, /) -> None:
        """Put in what is there at first."""
        resources.opened(("kv", section.namespace)).fill(self._values)


class KVFaked(KitKind[KVSection]):
    """KV namespaces in a test: the Worker's own bindings."""

    kind = KV_NAMESPACES

    def fake(self, value: Any, /) -> KV | None:
        return value if isinstance(value, KV) else None


KV_FAKED = KVFaked()
