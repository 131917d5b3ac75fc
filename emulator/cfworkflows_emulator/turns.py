"""How many turns of the event loop are waited for, and why so many. A turn is one pass of the loop.

From the end of a step to the next call of a step none passes if `run()` awaits the step itself, one with `gather` or
`wait_for`, one for each task of the user's that the result goes through, and two for each `TaskGroup` (CPython 3.11).
Nothing promises that, and no code has to keep to it. So no number here may decide what happens, only when: each is
waited for again if something has happened meanwhile, or costs no more than time if it was too small.
"""

LINGER_TURNS = 10
"""The turns for which something stays in memory that nobody waits for to be durable.

What an instance does next mostly follows within them, and is then part of the same transaction: a step costs one commit
instead of two. 10 is enough for five task groups within each other; code that is deeper costs commits, nothing else. It
is not more because a process that dies in these turns repeats what had succeeded.
"""

SETTLE_TURNS = 10
"""The turns without a call of a step after which a run in which every step waits counts as parked.

As deep as the code may be for one commit a step: LINGER_TURNS. Too early does no harm, since the next call has the
instance go on: it costs writing its row twice. Later costs the turns themselves, some microseconds, each time that an
instance parks. A replay whose `run()` has ended waits as long for calls in tasks of the user's that nothing awaited,
before it says that a step was not called again.
"""

REST_TURNS = 20
"""The turns without a new entry after which the engine is at rest, for tests that wait for it.

What is written may linger, and is then committed; what waited for the commit goes on in that turn, and its code may be
as deep again. So it is twice the others. Something that is deeper would be overtaken by a clock that jumps, which no
test kit can exclude: it sees only what is in a journal.
"""

ACCEPT_TURNS = 4
"""The turns that a connection which the loop has accepted takes to be known to the server.

The loop accepts it in the turn in which the socket is readable, and makes a task of the rest; that begins in the next,
and makes the transport, which calls `connection_made` in the third. The fourth is for what was accepted in the turn in
which the server began to stop. With fewer, a client that had been let in would see a reset.
"""
