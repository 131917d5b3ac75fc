"""Cloudflare's REST API for Workflows, for its SDKs and for `wrangler workflows`.

May import what is beside it in the API. `api` has the routes, `objects` and `details` the shapes.
"""

from cfworkflows_emulator.api.rest.api import RestApi

__all__ = ["RestApi"]
