"""How a divergence is detected: code that does something else than its journal says.

May import the journal and what runs instances.
"""
