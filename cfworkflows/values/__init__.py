"""Values as they are stored: JSON text with type tags for what JSON lacks.

`encode` and `decode` are the codec, `JsDict` is an object that was read back. Imports nothing but the standard
library and `cfworkflows.errors`; pydantic is imported when a value needs it.

A tagged value is an object with the key `"$"`, as in `{"$":"bytes","v":"YWI="}`; a dict of the user's that has this key
is written as a tagged list of pairs. So any JSON tool can read the text, and the types are in it.
"""

from cfworkflows.values.classes import UnresolvedClassWarning, resolve_class
from cfworkflows.values.decoding import decode
from cfworkflows.values.encoding import MAX_DEPTH, encode
from cfworkflows.values.jsdict import ClosedJsDict, JsDict, as_objects
from cfworkflows.values.refusal import is_mock

__all__ = [
    "MAX_DEPTH",
    "ClosedJsDict",
    "JsDict",
    "UnresolvedClassWarning",
    "as_objects",
    "decode",
    "encode",
    "is_mock",
    "resolve_class",
]
