"""A piece of the list of a bucket, by prefix and delimiter."""

from typing import TYPE_CHECKING

from cfworkflows_emulator.stores.r2.records import OBJECT, Rows, StoredObject

if TYPE_CHECKING:
    import apsw

_LAST = chr(0x10FFFF)


def listed(
    sqlite: "apsw.Connection", prefix: str, delimiter: str, after: str | None, start_after: str | None, limit: int
) -> Rows:
    """At most `limit` objects and prefixes, in the order of their keys.

    It begins behind the key `start_after`, and where `after` says, which came with another piece: a mark, and a key or
    a prefix. What a delimiter puts together is skipped as a whole: it costs one look, however much it is.
    """
    objects: list[StoredObject] = []
    prefixes: list[str] = []
    low, is_inclusive = prefix, True
    end = _above(prefix) if prefix else None
    if start_after is not None and start_after >= low:
        low, is_inclusive = start_after, False
    if after is not None:
        mark, place = after[:1], after[1:]
        beyond = _above(place) if mark == "p" else place
        if beyond is None:
            return Rows([], [], None)
        if beyond >= low:
            low, is_inclusive = beyond, mark == "p"
    last = ""
    while True:
        where = f"key {'>=' if is_inclusive else '>'} ?"
        bounds: tuple[str | int, ...] = (low,)
        if end is not None:
            where, bounds = f"{where} AND key < ?", (low, end)
        # One more than asked for says whether there is more.
        wanted = limit + 1 - len(objects) - len(prefixes)
        select = f"SELECT {OBJECT} FROM objects WHERE {where} ORDER BY key LIMIT ?"  # noqa: S608 - bounds
        rows = sqlite.execute(select, (*bounds, wanted)).fetchall()
        for row in rows:
            key = str(row[0])
            is_full = len(objects) + len(prefixes) == limit
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            if is_full:
                return Rows(objects, prefixes, last)
            if at >= 0:
                group = key[: at + len(delimiter)]
                prefixes.append(group)
                last = f"p{group}"
                above = _above(group)
                if above is None:
                    return Rows(objects, prefixes, None)
                low, is_inclusive = above, True
                break
            objects.append(StoredObject.of(row))
            last = f"k{key}"
            low, is_inclusive = key, False
        else:
            if len(rows) < wanted:
                return Rows(objects, prefixes, None)


def _above(prefix: str) -> str | None:
    """The first text behind all that begin with `prefix`, by code points, which is the order of UTF-8 too."""
    shortened = prefix.rstrip(_LAST)
    if not shortened:
        return None
    last = ord(shortened[-1]) + 1
    return shortened[:-1] + chr(0xE000 if last == 0xD800 else last)
