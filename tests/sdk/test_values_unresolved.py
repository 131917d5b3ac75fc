import dataclasses
import re
import sys
import warnings
from datetime import date
from pathlib import Path, PosixPath
from uuid import UUID

import pytest
from value_classes import Item, Key, Outer, comes_back

from cfworkflows.values import JsDict, UnresolvedClassWarning, decode, encode, resolve_class


class TestUnresolved:
    @pytest.mark.parametrize(
        ("text", "plain", "reason"),
        [
            (
                '{"$":"object","class":"gone:Order","fields":{"id":{"$":"tuple","v":[1]}}}',
                {"id": (1,)},
                "A stored gone:Order is read as plain data: no imported module has a class of that name.",
            ),
            (
                '{"$":"object","class":"test_values_unresolved:f.<locals>.Order","fields":{"id":1}}',
                {"id": 1},
                "no imported module has a class of that name (it is defined inside a function: move it to the top of a",
            ),
            (
                '{"$":"object","class":"value_classes:Item","fields":{"sku":5,"price":-1}}',
                {"sku": 5, "price": -1},
                "sku: Input should be a valid string (given 5); price: Input should be greater than or equal to 0",
            ),
            (
                '{"$":"object","class":"value_classes:Outer.Inner","fields":{"n":"x"}}',
                {"n": "x"},
                "n: Input should be a valid integer (given 'x')",
            ),
            (
                '{"$":"object","class":"value_classes:Outer.Inner","fields":{"m":1}}',
                {"m": 1},
                "m is not a field any more; n was not stored and has no default",
            ),
            (
                '{"$":"object","class":"value_classes:Point","fields":{"y":1,"z":2}}',
                {"y": 1, "z": 2},
                "z is not a field any more; x was not stored and has no default",
            ),
            (
                '{"$":"object","class":"test_values_unresolved:TestUnresolved","fields":{"n":1}}',
                {"n": 1},
                "it is no pydantic model, dataclass or namedtuple any more",
            ),
            ('{"$":"enum","class":"value_classes:Size","name":"HUGE","v":"xxl"}', "xxl", "'xxl' is not a valid Size"),
            ('{"$":"enum","class":"value_classes:Right","name":null,"v":99}', 99, "99"),
            ('{"$":"enum","class":"value_classes:Item","name":"A","v":1}', 1, "it is no enum any more"),
            ('{"$":"object","class":"value_classes:T","fields":{}}', {}, "no imported module has a class of that name"),
        ],
    )
    def test_plain_data_and_a_warning_with_the_reason(self, text: str, plain: object, reason: str) -> None:
        """Running instances outlive changes of the code: the data is there, and the warning says what went wrong."""
        with pytest.warns(UnresolvedClassWarning, match=re.escape(reason)):
            arrived = decode(text)
        assert plain == arrived
        assert type(arrived) in (JsDict, str, int)

    def test_an_error_in_the_users_validator_is_a_reason(self) -> None:
        """Whatever `__post_init__` raises, the data is not lost."""

        @dataclasses.dataclass
        class Picky:
            n: int

            def __post_init__(self) -> None:
                if self.n == 0:
                    raise ZeroDivisionError

        text = encode(Picky(1)).replace('"n":1', '"n":0')
        with pytest.warns(UnresolvedClassWarning, match="Picky is read as plain data: ZeroDivisionError"):
            assert 0 == decode(text, lambda name: Picky).n

    @pytest.mark.parametrize(
        ("value", "plain"),
        [({Key(1)}, [{"part": 1, "index": 0}]), (frozenset([Key(1)]), [{"part": 1, "index": 0}])],
    )
    def test_a_set_of_what_lost_its_class_is_a_list(self, value: object, plain: object) -> None:
        """A dict cannot be in a set."""
        with pytest.warns(UnresolvedClassWarning) as caught:
            assert plain == decode(encode(value), lambda name: None)
        assert any("set is read as plain data: unhashable type" in str(warning.message) for warning in caught)

    def test_a_dict_whose_keys_lost_their_class_is_a_list_of_pairs(self) -> None:
        """A dict cannot be a key."""
        with pytest.warns(UnresolvedClassWarning) as caught:
            assert [[{"part": 1, "index": 0}, "a"]] == decode(encode({Key(1): "a"}), lambda name: None)
        assert any("A stored dict is read as plain data: unhashable" in str(warning.message) for warning in caught)

    def test_resolving_imports_nothing(self) -> None:
        """A name in a database must not be able to run code."""
        assert "this" not in sys.modules
        assert resolve_class("this:Zen") is None
        assert "this" not in sys.modules

    @pytest.mark.parametrize(
        "name",
        [
            "value_classes:Nope",
            "value_classes:Outer.Nope",
            "value_classes:T.x",
            "test_values_unresolved:test_no_warning_for_what_is_found.<locals>.A",
            "builtins:len",
            "",
        ],
    )
    def test_a_name_that_is_no_class_resolves_to_none(self, name: str) -> None:
        """Functions, missing names and names behind things that hold none are no classes."""
        assert resolve_class(name) is None

    def test_a_resolver_is_asked_for_the_recorded_name(self) -> None:
        """The Worker's own modules may be kept elsewhere than in sys.modules."""
        asked: list[str] = []

        def resolve(name: str) -> type:
            asked.append(name)
            return Outer.Inner

        assert Outer.Inner(1) == decode(encode(Outer.Inner(1)), resolve)
        assert ["value_classes:Outer.Inner"] == asked


def test_no_warning_for_what_is_found() -> None:
    """The warnings are kept for what is lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [Item(sku="a"), date(2026, 1, 1)] == comes_back([Item(sku="a"), date(2026, 1, 1)])
    assert UUID(int=1) == comes_back(UUID(int=1))
    assert PosixPath is type(comes_back(Path("a")))
