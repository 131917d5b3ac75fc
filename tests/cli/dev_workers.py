"""What the workers of the tests of `cfwf dev` share."""

import socket

WORKFLOW = """
[[workflows]]
name = "order"
binding = "ORDERS"
class_name = "Order"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
