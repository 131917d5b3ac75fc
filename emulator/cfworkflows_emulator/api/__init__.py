"""What the server answers beside the Worker: the Local Explorer API that `wrangler dev` has too.

May import the engine and the SDK. Every path is guarded: a page of another site can neither read nor change anything.
"""

from cfworkflows_emulator.api.explorer import ExplorerApi

__all__ = ["ExplorerApi"]
