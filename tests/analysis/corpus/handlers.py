"""Signatures of handlers."""

import functools

from cfworkflows import Response, WorkerEntrypoint


def anything(function):
    return function


async def on_fetch(request, env, ctx, more):  # !handler-arguments
    return Response("x")


async def on_scheduled(controller, *, env):  # !handler-arguments
    pass


@anything
async def on_queue(batch, env, ctx, more):
    pass


def on_alarm(a, b, c, d, e):
    pass


class Base(WorkerEntrypoint):
    async def email(self, message, env, ctx, more):  # !handler-arguments
        pass

    def tail(self, events, *, extra=None, **more):
        pass


class Default(Base):
    async def fetch():  # !handler-arguments
        return Response("x")

    @staticmethod
    async def scheduled(controller, env, ctx, more):  # !handler-arguments
        pass

    @classmethod
    async def queue(cls, batch, env, ctx, extra, more=None):  # !handler-arguments
        pass

    async def rpc(self, a, b, c, d):
        pass


class Two(WorkerEntrypoint):
    async def fetch(
        self,
        request,
        env,
        ctx,
        more,  # !handler-arguments
    ):
        return Response("x")

    async def scheduled(self, a, b, c, d):
        pass


class Ignored(WorkerEntrypoint):
    async def fetch(self, request, env, ctx, more):  # cfwf: ignore[handler-arguments]
        return Response("x")


class Decorated(WorkerEntrypoint):
    @anything
    async def fetch(self, request, env, ctx, more):
        return Response("x")


class _NotExported(WorkerEntrypoint):
    async def fetch(self, request, env, ctx, more):
        return Response("x")


class Assigned(_NotExported):
    fetch = functools.partial(on_fetch, more=1)


class Prefixes(WorkerEntrypoint):
    async def fetch(self):
        return Response("x")


class All(WorkerEntrypoint):
    def fetch(self, /, request, env, ctx, more=None, *, extra=None):
        return Response("x")


class Rest(WorkerEntrypoint):
    def fetch(*given):
        return Response("x")


class NoHandler:
    def fetch(self, request, env, ctx, more):
        return Response("x")


class Misplaced(WorkerEntrypoint):
    async def fetch(self, request, ctx):  # !handler-arguments
        return Response("x")


class MisplacedToo(WorkerEntrypoint):
    @staticmethod
    async def fetch(env, request, ctx):  # !handler-arguments
        return Response("x")


class OtherNames(WorkerEntrypoint):
    async def fetch(self, request, bindings, context):
        return Response("x")


class InOrder(WorkerEntrypoint):
    async def fetch(self, request, env=None, ctx=None):
        return Response("x")


class OnlyRequest(WorkerEntrypoint):
    async def fetch(self, request, *rest, ctx=None):
        return Response("x")
