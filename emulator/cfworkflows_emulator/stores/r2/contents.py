"""What is in the file of a bucket, for who compares two of them."""

import sqlite3


def described(connection: sqlite3.Connection) -> dict[str, str]:
    """The objects. See `KeptFolder`."""
    rows = connection.execute("SELECT key, size, etag FROM objects")
    return {key: f"{size:,} bytes, {etag[:8]}" for key, size, etag in rows}
