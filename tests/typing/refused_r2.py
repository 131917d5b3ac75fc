"""What type checkers refuse of an R2 bucket."""

from typing import Protocol

from cfworkflows import R2Bucket, WorkerEntrypoint


class Env(Protocol):
    FILES: R2Bucket


class Files(WorkerEntrypoint[Env]):
    async def refused(self) -> None:
        files = self.env.FILES
        await files.get("a", {"bogus": 1})  # error: [call-overload]; reportCallIssue
        await files.get("a", bogus=1)  # error: [call-overload]; reportCallIssue
        await files.put("a", {"a": 1})  # error: [call-overload]; reportArgumentType
        await files.put("a", "b", storage_class="Glacier")  # error: [call-overload]; reportArgumentType
        await files.delete(5)  # error: [arg-type]; reportArgumentType
        await files.list(limit="10")  # error: [arg-type]; reportArgumentType
