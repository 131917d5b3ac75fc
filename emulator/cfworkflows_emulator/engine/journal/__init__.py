"""The journal of an instance: the kinds of its entries, the state they fold into, and the store that keeps them.

May import storage, and of the engine only what is as pure as itself: what a replay found out (`diagnosis`).
"""
