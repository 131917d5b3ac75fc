"""The emulator: clock, configuration, storage, engine, runtime, server, APIs, test kit and command line.

A room for each; imports between them point downhill. This file imports nothing, so that every room may import it.
"""

DEFAULT_PORT = 8787
"""Where `cfwf dev` listens, if the port is free, and where its clients look for it."""

EXPLORER_API = "/cdn-cgi/local/explorer/api"
"""The path of the Local Explorer API, which lists Workflows and instances."""
