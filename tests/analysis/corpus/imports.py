"""Imports that fail when the Worker is loaded."""

import asyncio
import contextlib
import queue
import sys
from typing import TYPE_CHECKING

import asgi  # !unsupported-module
from js import Response as JsResponse  # !unsupported-module

from cfworkflows import Response, WorkerEntrypoint, errors
from cfworkflows import setTimeout  # !missing-name
from cfworkflows import WorkflowEntryPoint as Base  # !missing-name
from workers.workflows import NonRetryableError  # !unsupported-module

from . import orders  # !relative-import
from .elsewhere import Order as Shop  # !relative-import
from ..above import more  # !relative-import

if TYPE_CHECKING:
    import workers
    from .elsewhere import Order

with contextlib.suppress(ImportError):
    from js import console

try:
    from workers import DurableObject
except ImportError:
    DurableObject = object

if sys.platform == "emscripten":
    import js
    from pyodide.ffi import to_js


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        import pyodide  # !unsupported-module

        workers = asgi_of(request)
        return Response(
            str(
                [
                    workers,
                    asyncio,
                    queue,
                    orders,
                    Shop,
                    more,
                    asgi,
                    JsResponse,
                    NonRetryableError,
                    pyodide,
                    errors,
                    setTimeout,
                    Base,
                ]
            )
        )


def asgi_of(request):
    return request
