"""The buckets that the Workers of a project are bound to."""

import json
from collections.abc import Sequence
from typing import Any

from cfworkflows_bindings import R2Binding
from cfworkflows_emulator.api.kind import ExplorerKind
from cfworkflows_emulator.api.r2.cors import Rule
from cfworkflows_emulator.api.workflows import Served
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.config import R2_BUCKETS
from cfworkflows_emulator.config.kinds.r2 import R2Section
from cfworkflows_emulator.runtime import runtime_kind

ACCESS_KEY, SECRET = "local", "secret"
"""The credentials of S3 clients, where the configuration has none."""

_CORS = "cors"


class R2Buckets:
    """The buckets of a project, by their names on this machine."""

    def __init__(self, project: Served) -> None:
        self._project = project
        self._sections = {
            section.bucket: section for loaded in project.configs for section in loaded.sections(R2_BUCKETS)
        }

    @property
    def names(self) -> list[str]:
        return sorted(self._sections)

    @property
    def clock(self) -> Clock:
        return self._project.engine.clock

    def credentials(self, bucket: str) -> dict[str, str]:
        """The secret of each access key that S3 clients may use for a bucket: that of `local_dev`, or the fixed one."""
        section = self._sections.get(bucket)
        local = (section.local_dev if section is not None else None) or {}
        given = local.get("experimental_s3_credentials")
        if isinstance(given, dict):
            id = given.get("accessKeyId", given.get("access_key_id"))
            secret = given.get("secretAccessKey", given.get("secret_access_key"))
            if isinstance(id, str) and isinstance(secret, str):
                return {id: secret}
        return {ACCESS_KEY: SECRET}

    def rules(self, bucket: R2Binding) -> list[Rule]:
        """The CORS rules of a bucket."""
        text = bucket.store.setting(_CORS)
        return [] if text is None else [Rule.of(each) for each in json.loads(text)]

    def set_rules(self, bucket: R2Binding, rules: Sequence[Rule]) -> None:
        bucket.store.set_setting(_CORS, json.dumps([rule.as_dict() for rule in rules]) if rules else None)

    async def find(self, name: str) -> R2Binding | None:
        """The bucket as a Worker has it; None if no Worker is bound to it."""
        section = self._sections.get(name)
        if section is None:
            return None
        bucket: R2Binding = await runtime_kind(R2_BUCKETS).bind(section, self._project.resources)
        return bucket


class R2Listed(ExplorerKind[R2Section]):
    """R2 buckets among the bindings of a Worker."""

    kind = R2_BUCKETS
    group = "r2"

    def described(self, section: R2Section, worker: str, /) -> dict[str, Any]:
        return {"id": section.bucket, "bindingName": section.binding}


R2_LISTED = R2Listed()
