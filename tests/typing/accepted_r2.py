"""What type checkers know of an R2 bucket: every form of a call, and what it gives."""

from typing import Protocol, assert_type

from cfworkflows import R2Bucket, R2Object, R2ObjectBody, ReadableStream, Request, Response, WorkerEntrypoint


class Env(Protocol):
    FILES: R2Bucket


class Files(WorkerEntrypoint[Env]):
    async def read(self, request: Request) -> Response:
        files = self.env.FILES
        assert_type(await files.head("a"), R2Object | None)
        assert_type(await files.get("a"), R2ObjectBody | None)
        assert_type(await files.get("a", {"range": {"offset": 1}}), R2ObjectBody | None)
        assert_type(await files.get("a", range=request.headers), R2ObjectBody | None)
        assert_type(await files.get("a", {"onlyIf": request.headers}), R2ObjectBody | R2Object | None)
        found = await files.get("a", only_if={"etag_matches": "x"})
        assert_type(found, R2ObjectBody | R2Object | None)
        if found is None or found.body is None:
            return Response(None, {"status": 404})
        assert_type(found.body, ReadableStream)
        return Response(found.body)

    async def change(self, request: Request) -> None:
        files = self.env.FILES
        assert_type(await files.put("a", "text", {"httpMetadata": {"contentType": "a/b"}}), R2Object)
        assert_type(await files.put("a", request.body, custom_metadata={"by": "me"}, md5=b""), R2Object)
        assert_type(await files.put("a", None, only_if={"etagDoesNotMatch": "*"}), R2Object | None)
        await files.delete(["a", "b"])
        upload = await files.createMultipartUpload("a", storage_class="InfrequentAccess")
        part = await upload.upload_part(1, b"bytes")
        assert_type(await files.resume_multipart_upload("a", upload.uploadId).complete([part]), R2Object)

    async def keys(self) -> list[str]:
        page = await self.env.FILES.list({"prefix": "a", "include": ["httpMetadata"]})
        while page.truncated and page.cursor is not None:
            page = await self.env.FILES.list(cursor=page.cursor, start_after="b")
        return [each.key for each in page.objects] + page.delimitedPrefixes
