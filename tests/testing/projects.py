"""Projects that tests of the plugin write down."""

WRANGLER = """
name = "shop"
main = "src/entry.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]

[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""
