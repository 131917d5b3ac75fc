import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from value_classes import comes_back

from cfworkflows.values import JsDict, as_objects, encode


class TestJsDict:
    def test_keys_are_attributes(self) -> None:
        """Objects read as in TypeScript, at every depth."""
        order = comes_back({"id": 1, "lines": [{"sku": "a", "at": datetime(2026, 1, 1, tzinfo=UTC)}]})
        assert (1, "a", 2026) == (order.id, order.lines[0].sku, order.lines[0].at.year)

    def test_attributes_can_be_set_and_deleted(self) -> None:
        """Both are the key."""
        order = JsDict(id=1)
        order.state = "paid"
        order.items = [1]
        del order.id
        assert {"state": "paid", "items": [1]} == order
        with pytest.raises(AttributeError, match="no key 'id'; the keys that are there: 'state', 'items'"):
            del order.id

    def test_a_missing_attribute_names_the_keys(self) -> None:
        """The error says what is there, so that a typing slip is seen."""
        with pytest.raises(AttributeError, match="no key 'nam'; the keys that are there: 'name', 'id'") as missing:
            _ = JsDict(name=1, id=2).nam
        assert "nam" == missing.value.name
        with pytest.raises(AttributeError, match="no key 'a'; the keys that are there: none"):
            _ = JsDict().a
        assert 5 == getattr(JsDict(), "a", 5)

    def test_a_missing_attribute_names_not_too_many_keys(self) -> None:
        """A large object does not flood the log."""
        with pytest.raises(AttributeError, match=r"there: 'k0', .*, 'k29', …$"):
            _ = JsDict({f"k{n}": n for n in range(1000)}).a

    def test_names_of_dict_are_methods(self) -> None:
        """A dict's own method wins, as in Cloudflare's Python SDK."""
        order = JsDict(items=[1])
        assert [("items", [1])] == list(order.items())
        assert [1] == order["items"]

    def test_double_underscore_names_are_not_keys(self) -> None:
        """Data cannot pretend to be able to do something."""
        sneaky = JsDict({"__deepcopy__": 1, "__html__": 2})
        assert not hasattr(sneaky, "__html__")
        assert sneaky == copy.deepcopy(sneaky)
        with pytest.raises(AttributeError):
            del sneaky.__html__
        with pytest.raises(AttributeError):
            sneaky.__html__ = 3

    def test_it_is_a_dict(self) -> None:
        """Equality, text, JSON and isinstance are those of a dict."""
        plain = {"a": {"b": 1}, "c": None}
        assert plain == JsDict(plain)
        assert repr(plain) == repr(JsDict(plain))
        assert json.dumps(plain) == json.dumps(JsDict(plain))
        assert isinstance(JsDict(), dict)
        assert encode(plain) == encode(JsDict(plain))

    @pytest.mark.parametrize(
        "duplicate", [copy.copy, copy.deepcopy, JsDict.copy, lambda value: pickle.loads(pickle.dumps(value))]
    )
    def test_copies_are_js_dicts(self, duplicate: Any) -> None:
        """A copy reads like the original."""
        twin = duplicate(JsDict(a=[1]))
        assert (JsDict, [1]) == (type(twin), twin.a)

    def test_json_becomes_objects(self) -> None:
        """At every depth; what is no object or array stays what it is."""
        read = as_objects({"a": [{"b": 1}, 2], "c": None})
        assert (1, 2, None) == (read.a[0].b, read.a[1], read.c)

    def test_names_are_completed(self) -> None:
        """A shell offers the keys that can be written as attributes."""
        names = dir(JsDict({"total": 1, "odd key": 2, 5: 3}))  # type: ignore[dict-item]
        assert {"total", "keys"} <= set(names)
        assert "odd key" not in names
