"""A project with buckets that is served, for tests of the S3 paths and the public ones."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from cfworkflows_emulator.clock import SystemClock
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.server import serve

CONFIG = """
name = "files"
main = "entry.py"
compatibility_date = "2026-11-01"
[[r2_buckets]]
binding = "FILES"
bucket_name = "files"
"""
S3 = "/cdn-cgi/local/r2/s3"
PUBLIC = "/cdn-cgi/local/r2/public/files"
KEY = "a b/ü+%.txt"
LARGE = bytes(range(256)) * 40_000
MIB = 1024 * 1024
PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)


class Skipping(SystemClock):
    """A clock that goes on by `skipped` ms."""

    skipped = 0

    def now(self) -> int:
        return super().now() + self.skipped


class Files:
    """A served bucket."""

    def __init__(self, url: str, project: Project, clock: Skipping, session: aiohttp.ClientSession) -> None:
        self.url, self.bucket, self.clock, self.session = url, project.env.FILES, clock, session

    def client(self, access_key: str = "local", secret: str = "secret") -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url + S3,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            region_name="auto",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    async def s3(self, method: str, **arguments: Any) -> Any:
        """A call of boto3, in a thread."""
        return await asyncio.to_thread(getattr(self.client(), method), Bucket="files", **arguments)

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, str], bytes]:
        from yarl import URL

        url = URL(path if path.startswith("http") else self.url + path, encoded=True)
        async with self.session.request(method, url, **options) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.read()


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Files]:
    (tmp_path / "entry.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    loaded = load_config(cwd=tmp_path, process_env={})
    clock = Skipping()
    async with (
        Project.open(loaded, clock=clock, state=tmp_path / "state") as project,
        serve(project) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Files(server.url, project, clock, session)
