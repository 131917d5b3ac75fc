"""The journal of an instance: the types of its entries, the state they fold into, what a restart leaves of them, and
the tables that keep them.

May import storage and tracebacks, and nothing else of the engine.
"""
