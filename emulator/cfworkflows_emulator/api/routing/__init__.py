"""What an API is made of: routes as a table, input checked against its types, the envelope, and the guard.

Knows nothing of workflows but what `streaming` sends: the events of the engine's subscriptions.
"""
