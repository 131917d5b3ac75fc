"""Cloudflare's REST API for Workflows, for its SDKs and for `wrangler workflows`.

May import the other modules of the API. `api` has the routes, `objects` and `details` the shapes.
"""

from cfworkflows_emulator.api.rest.api import RestApi

__all__ = ["RestApi"]
