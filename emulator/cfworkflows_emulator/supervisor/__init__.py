"""The process that `cfwf dev` is: it owns the sockets, forks the worker that serves, and never runs code of the user.

Standard library only, and no event loop: it forks, so it has one thread. What a worker does is the caller's function.
"""
