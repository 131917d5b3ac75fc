"""`r2_buckets`: bindings to R2 buckets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path, field_name, show
from cfworkflows_emulator.config.kinds.kind import Kind, Layer
from cfworkflows_emulator.config.kinds.remote import refuse_remote
from cfworkflows_emulator.config.markers import Section
from cfworkflows_emulator.config.report import Report


@dataclass(frozen=True, slots=True)
class R2Section(Section):
    """One element of `r2_buckets`. Bindings with one name are one bucket."""

    binding: str
    bucket_name: str | None = None
    preview_bucket_name: str | None = None
    jurisdiction: str | None = None
    local_dev: dict[str, Any] | None = None
    remote: bool | None = None

    @property
    def bucket(self) -> str:
        """The name on this machine: the first that there is of those for development, for production, and of the
        binding.
        """
        return self.preview_bucket_name or self.bucket_name or self.binding


class R2Kind(Kind[R2Section]):
    """R2 buckets."""

    key = "r2_buckets"
    friendly = "R2 Bucket"
    section = R2Section
    layers = frozenset(Layer)

    def resource(self, section: R2Section, /) -> str:
        return section.bucket

    def check(self, report: Report, path: Path, element: Mapping[str, Any], /) -> None:
        refuse_remote(report, path, element, "cfwf r2 object put BUCKET/KEY --file FILE")
        for name in ("bucket_name", "preview_bucket_name"):
            bucket = element.get(name)
            if isinstance(bucket, str) and not _is_bucket_name(bucket):
                report.error(
                    f"{field_name(path)}.{name}={show(bucket)} is invalid. Bucket names must begin and end with an "
                    "alphanumeric character, only contain lowercase letters, numbers, and hyphens, and be between 3 "
                    "and 63 characters long.",
                    (*path, name),
                )


def _is_bucket_name(name: str) -> bool:
    import re

    return re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name) is not None


R2_BUCKETS = R2Kind()
