"""Code that does something else than its journal says: how that is found out.

May import the journal and what runs instances.
"""
