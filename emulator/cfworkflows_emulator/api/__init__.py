"""What the server answers beside the Worker: the Local Explorer API of `wrangler dev`, and Cloudflare's REST API.

May import the runtime, the views, the engine and the SDK. Every path is guarded: a page of another site can neither
read nor change anything. `routing` is what both are made of, `workflows` what both can do, `requests` and `results` the
types of their input and output, `kinds` how bindings are listed; `explorer` and `rest` are the two APIs, and neither
knows the other; `r2` is what S3 clients and pages of any site see of buckets.
"""

from cfworkflows_emulator.api.explorer import ExplorerApi, ScheduledTrigger
from cfworkflows_emulator.api.r2 import R2S3, R2Buckets, R2Public
from cfworkflows_emulator.api.rest import RestApi
from cfworkflows_emulator.api.routing.guard import Guard
from cfworkflows_emulator.api.workflows import Workflows

__all__ = ["R2S3", "ExplorerApi", "Guard", "R2Buckets", "R2Public", "RestApi", "ScheduledTrigger", "Workflows"]
