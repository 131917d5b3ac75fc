"""Names of files for ids that come from a configuration: any text, on any file system."""

import hashlib

# What stands for itself. Capitals do not: there are file systems for which "A" and "a" are one name.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
# File systems allow 255 bytes; SQLite and writers of temporary files append to the name.
LONGEST = 200


def file_name(identifier: str) -> str:
    """The name of the file or folder for `identifier`: percent-escaped, safe where capitals do not count, never hidden,
    never a path. `identifier_of` is the way back, except for one over `LONGEST` characters, which ends in a hash.
    """
    escaped = "".join(_escaped(character) for character in identifier)
    if escaped.startswith("."):
        escaped = f"%2e{escaped[1:]}"
    if escaped.endswith("."):  # Windows drops it
        escaped = f"{escaped[:-1]}%2e"
    if len(escaped) > LONGEST:
        digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{escaped[: LONGEST - 34].rstrip('%')}~{digest[:32]}"
    return escaped or "%"


def identifier_of(name: str) -> str | None:
    """What `file_name` made `name` of; None if it was too long to be kept, or the name is not one of ours."""
    if "~" in name:
        return None
    if name == "%":
        return ""
    parts = name.split("%")
    try:
        raw = parts[0].encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in parts[1:])
        found = raw.decode("utf-8", "surrogatepass")
    except ValueError:
        return None
    return found if file_name(found) == name else None


def _escaped(character: str) -> str:
    if character in _PLAIN:
        return character
    return "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
