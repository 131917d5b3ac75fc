"""A server that tells what it was sent."""

import asyncio
import gzip
import zlib

from aiohttp import web

MIB = 1024 * 1024


class Server:
    """A server on a loopback socket: `url`, and what its handlers saw."""

    def __init__(self):
        self.app = web.Application(client_max_size=1024 * MIB)
        self.url = ""
        self.seen = []
        self.peers = []
        self.gone = asyncio.Event()
        self.arrived = asyncio.Event()
        self.hold = asyncio.Event()
        self.received = 0

    async def echo(self, request):
        self.seen.append(request)
        self.peers.append(request.get_extra_info("peername"))
        return web.json_response(
            {
                "method": request.method,
                "path": request.raw_path,
                "headers": [[name.lower(), value] for name, value in request.headers.items()],
                "body": (await request.read()).decode("latin-1"),
            }
        )

    async def redirect(self, request):
        status = int(request.match_info["status"])
        return web.Response(status=status, text="moved", headers={"Location": request.query["to"]})

    async def loop(self, request):
        left = int(request.match_info["left"])
        return web.Response(status=302, headers={"Location": f"/loop/{left - 1}"}) if left else web.Response(text="end")

    async def status(self, request):
        return web.Response(status=int(request.match_info["status"]), reason="Because", text="")

    async def compressed(self, request):
        coding = request.match_info["coding"]
        packed = {"gzip": gzip.compress, "deflate": zlib.compress, "br": bytes}[coding](b"compressed " * 1000)
        return web.Response(body=packed, headers={"Content-Encoding": coding, "Content-Type": "text/plain"})

    async def big(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b"x" * MIB)
        return response

    async def sink(self, request):
        async for chunk in request.content.iter_any():
            self.received += len(chunk)
        return web.Response(text=str(self.received))

    async def held(self, request):
        """Answers when `hold` is set; sets `arrived` before, and `gone` if the client leaves."""
        self.arrived.set()
        try:
            await self.hold.wait()
        except asyncio.CancelledError:
            self.gone.set()
            raise
        return web.Response(text="late")

    async def held_body(self, request):
        """Sends the headers and one chunk, then waits for `hold`; sets `gone` if the client leaves."""
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"first")
        try:
            await self.hold.wait()
            await response.write(b"later")
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise
        return response

    async def broken(self, request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"part")
        request.transport.close()
        return response

    async def hang_up(self, request):
        request.transport.close()
        return web.Response()

    async def cookies(self, request):
        response = web.Response(text=request.headers.get("cookie", ""))
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2; Path=/")
        response.headers.add("X-Both", "1")
        response.headers.add("X-Both", "2")
        return response
