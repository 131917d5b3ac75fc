import dataclasses
import json
from collections import UserDict
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from cfworkflows.errors import SerializationError
from cfworkflows.http.jsontext import stringify


class Colour(StrEnum):
    RED = "red"


class Model(BaseModel):
    at: datetime
    ratio: float = 1.5


@dataclasses.dataclass
class Order:
    id: str
    parts: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, True, None], "b": {}}, '{"a":[1,2.5,true,null],"b":{}}'),
        ("é\n\u2028", '"é\\n\u2028"'),
        ("\ud800", '"\\ud800"'),
        ([float("nan"), {"x": float("inf")}, "ok"], '[null,{"x":null},"ok"]'),
        ({2: "a", None: "b", True: "c"}, '{"2":"a","null":"b","true":"c"}'),
        ({1: float("nan"), None: 0, 1.5: 0}, '{"1":null,"null":0,"1.5":0}'),
        (datetime(2026, 1, 2, 3, 4, 5, 678900, UTC), '"2026-01-02T03:04:05.678Z"'),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), '"2026-01-02T01:04:05.000Z"'),
        (datetime(2026, 1, 2), '"2026-01-02T00:00:00.000Z"'),  # noqa: DTZ001 - what is tested
        (Order("a", (1, 2)), '{"id":"a","parts":[1,2]}'),
        ([Order("a"), float("nan")], '[{"id":"a","parts":[]},null]'),
        (UserDict(a=1), '{"a":1}'),
        (Colour.RED, '"red"'),
        (2**70, "1180591620717411303424"),
    ],
)
def test_values_are_written_as_json_stringify_writes_them(value, expected):
    """Compact, UTF-8, with null for what is not finite."""
    assert expected.encode() == stringify(value)


def test_pydantic_models_are_written_as_they_dump_themselves():
    """A model inside other data is dumped in its JSON form, and a NaN in it is null."""
    model = Model(at=datetime(2026, 1, 2, tzinfo=UTC), ratio=float("nan"))
    assert b'[{"at":"2026-01-02T00:00:00Z","ratio":null}]' == stringify([model])


@pytest.mark.parametrize(
    ("value", "path", "text"),
    [
        (object(), "$", "is a object"),
        ({"items": [1, {"lock": {1}}]}, "$.items[1].lock", "is a set"),
        ({"a b": b"x"}, '$["a b"]', "is a bytes"),
        (Order("a", (object(),)), "$.parts[0]", "is a object"),  # type: ignore[arg-type]
        ({"a": {(1, 2): 3}}, "$.a", r"a key of \$.a: \(1, 2\) is a tuple"),
        ([Model], "$[0]", "JSON cannot hold"),
        ([Order], "$[0]", "JSON cannot hold"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_path(value, path, text):
    """The error is a TypeError that says where the value is and what it is."""
    with pytest.raises(TypeError, match=text) as caught:
        stringify(value)
    assert isinstance(caught.value, SerializationError)
    assert path == caught.value.path
    assert path in str(caught.value)


def test_a_value_that_contains_itself_is_refused():
    """A circle has a path too, and the same object twice is no circle."""
    shared = [1]
    assert b"[[1],[1],null]" == stringify([shared, shared, float("nan")])
    circle: dict[str, object] = {}
    circle["self"] = [circle]
    with pytest.raises(SerializationError, match=r"at \$\.self\[0\]: it contains itself"):
        stringify(circle)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )
)
def test_json_values_survive(value):
    """Whatever JSON can hold is read back as it was, by the quick way and by the slow."""
    assert value == json.loads(stringify(value))
    assert [value, None] == json.loads(stringify([value, float("nan")]))
