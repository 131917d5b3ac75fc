"""How many turns of the event loop are waited for, and why so many. These are the only places that count them.

A turn is one pass of the event loop: what was scheduled before it began is called. Python gives no promise on how many
of them something takes, so none of the numbers may decide what happens: one that is too small costs time, and one that
is too large does so too. Change one together with its argument.
"""

SETTLE_TURNS = 10
"""The turns without a call of a step after which a run in which every step waits counts as parked.

Code between two steps may take some: a step that ends wakes the task that awaits it in the next turn, a `gather` passes
that on in one more, and so does each task and each shield of the user's in between. Three layers of these are 6 turns.
Too early does no harm, since the next step has the run continue: it costs the row of the instance being written twice.
Too late costs that many empty turns, some 20 µs, for each time that an instance parks. A replay that has come to its
end waits as long before what was not called again is missed: it may be called in a task that was not awaited.
"""

REST_TURNS = 20
"""The turns without an entry in a journal after which the engine counts as being at rest, for tests that wait for it.

More than lie between a commit and the next thing that a run does: the waiter is called in the turn of the commit, and
the code goes on as above, so it is SETTLE_TURNS, and as many again for what a callback in a task does before its step
ends. Too early would be seen: a clock that jumps ahead of a step. Therefore it is asked again until nothing has
happened meanwhile.
"""

ACCEPT_TURNS = 4
"""The turns that a connection which asyncio has accepted needs to be known to the server that is about to stop.

`loop.sock_accept` has the socket in the turn in which it is readable; the transport is made in a task, which begins in
the next; `connection_made` is scheduled by the transport, and called in the one after. The fourth is for the waiter of
the transport, which is woken then. With fewer, a client that was let in sees its connection reset.
"""
