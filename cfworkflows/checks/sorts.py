"""What sort of type a type is."""

import collections
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from types import UnionType
from typing import Any, Union

UNIONS = {Union, UnionType}
LISTS: set[Any] = {list, Sequence, MutableSequence, collections.deque}
SETS: set[Any] = {set, frozenset, AbstractSet}
DICTS: set[Any] = {dict, Mapping, MutableMapping, collections.defaultdict}
CONTAINERS = {*LISTS, *SETS, *DICTS, tuple}


def is_typed_dict(tp: Any) -> bool:
    return isinstance(tp, type) and issubclass(tp, dict) and hasattr(tp, "__required_keys__")


def is_named_tuple(tp: Any) -> bool:
    return isinstance(tp, type) and issubclass(tp, tuple) and hasattr(tp, "_fields")
