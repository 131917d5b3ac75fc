import dataclasses
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, TypedDict

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, IPvAnyAddress, PrivateAttr, SecretStr
from value_classes import (
    Box,
    Color,
    Customer,
    GenericBox,
    IntBox,
    Item,
    Key,
    Node,
    Numbers,
    Outer,
    Point,
    Size,
    comes_back,
    fingerprint,
    strict_json,
)

from cfworkflows.errors import SerializationError
from cfworkflows.values import UnresolvedClassWarning, decode, encode


class TestClasses:
    def test_classes_come_back_inside_each_other(self) -> None:
        """Models in dataclasses in named tuples in sets in models keep their classes."""
        value = Node(value=Box(Point(Key(Size.SMALL), {Key((1, Color.RED))})), children=[Item(sku="a")])
        assert fingerprint(value) == fingerprint(comes_back(value))

    def test_a_class_in_a_class_is_found(self) -> None:
        """The recorded name is the qualified one."""
        assert Outer.Inner(5) == comes_back(Outer.Inner(5))

    def test_a_model_is_rebuilt_by_the_names_of_its_fields(self) -> None:
        """Aliases are for the outside."""
        customer = Customer.model_validate({"fullName": "Ada", "contact": {"mail": "a@b.c"}})
        assert customer == comes_back(customer)

    def test_a_model_remembers_which_fields_were_set(self) -> None:
        """`exclude_unset` gives the same before and after, and a default that was made once stays."""
        arrived = comes_back(Item(sku="a"))
        assert {"sku": "a"} == arrived.model_dump(exclude_unset=True)

    def test_extra_fields_of_a_model_are_kept(self) -> None:
        """Also those with odd names."""

        class Open(BaseModel):
            model_config = ConfigDict(extra="allow")
            a: int

        value = Open(a=1, **{"$": (2,), "b": 3})
        assert value == decode(encode(value), lambda name: Open)

    def test_private_attributes_and_cached_properties_are_made_anew(self) -> None:
        """They are not fields: a model makes them itself."""

        class Cached(BaseModel):
            n: int
            _lock: Any = PrivateAttr(default_factory=threading.Lock)

            @cached_property
            def lock(self) -> Any:
                return threading.Lock()

        value = Cached(n=1)
        assert value.lock
        assert {"n": 1} == vars(decode(encode(value), lambda name: Cached))

    def test_a_root_model_comes_back(self) -> None:
        """Its one field is the value itself."""
        assert Numbers([1, 2]) == comes_back(Numbers([1, 2]))

    def test_a_parametrised_model_comes_back(self) -> None:
        """As its own class where that has a name, as the generic one where it was written in a function."""
        assert IntBox is type(comes_back(IntBox(content=1)))
        local = GenericBox[dict[str, list[Item]]](content={"a": [Item(sku="b")]})
        arrived = comes_back(local)
        assert (GenericBox, local.content) == (type(arrived), arrived.content)

    def test_a_field_that_only_pydantic_can_write_comes_back(self) -> None:
        """URLs, addresses and lists of them are stored as pydantic's JSON, and checked that they read back equal."""

        class Site(BaseModel):
            url: HttpUrl
            hosts: list[IPvAnyAddress]
            made: datetime

        value = Site(url="https://a.b/c", hosts=["127.0.0.1"], made=datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type,list-item]
        text = encode([value])
        assert ["127.0.0.1"] == strict_json(text)[0]["fields"]["hosts"]
        assert [value] == decode(text, lambda name: Site)
        with pytest.raises(SerializationError, match=r"^\$\[1\]\.lock: a _thread\.lock"):
            encode([value, {"lock": threading.Lock()}])

    def test_a_secret_in_a_model_is_refused(self) -> None:
        """pydantic writes asterisks, which would come back as the secret."""

        class Login(BaseModel):
            password: SecretStr

        with pytest.raises(SerializationError, match=r"^\$\[0\]\.password: a pydantic\.types\.SecretStr cannot be"):
            encode([Login(password=SecretStr("hunter2"))])

    def test_a_lock_in_a_model_is_refused_with_its_place(self) -> None:
        """What neither the codec nor pydantic can write is an error, after fields that pydantic could."""
        node = Node(value={"deep": [threading.Lock()]})
        with pytest.raises(SerializationError) as refused:
            encode([(node,)])
        assert "$[0][0].value.deep[0]" == refused.value.path

    def test_fields_that_init_does_not_take_come_back(self) -> None:
        """`init=False` fields are part of the value; one never set stays unset."""

        @dataclasses.dataclass(frozen=True)
        class Order:
            n: int
            total: int = dataclasses.field(init=False)
            late: int = dataclasses.field(init=False)

            def __post_init__(self) -> None:
                object.__setattr__(self, "total", self.n * 2)

        value = Order(2)
        object.__setattr__(value, "total", 5)
        arrived = decode(encode(value), lambda name: Order)
        assert ({"n": 2, "total": 5}, Order) == (vars(arrived), type(arrived))

    def test_post_init_does_not_change_a_field_twice(self) -> None:
        """It runs, because it may make what is no field; the fields are then as they were stored."""

        @dataclasses.dataclass
        class Greeting:
            text: str

            def __post_init__(self) -> None:
                self.text = f"Hello {self.text}"
                self.lock = threading.Lock()

        arrived = decode(encode(Greeting("Ada")), lambda name: Greeting)
        assert "Hello Ada" == arrived.text
        assert arrived.lock

    def test_a_dataclass_whose_init_wants_more_is_restored_as_a_copy(self) -> None:
        """An InitVar is not kept; defaults of fields that are new since then are filled in."""

        @dataclasses.dataclass
        class Order:
            n: int
            rate: dataclasses.InitVar[int]
            tags: list[str] = dataclasses.field(default_factory=list)
            size: int = 3
            total: int = dataclasses.field(init=False)

            def __post_init__(self, rate: int) -> None:
                self.total = self.n * rate

        assert Order(2, 3, ["a"]) == decode(encode(Order(2, 3, ["a"])), lambda name: Order)
        text = '{"$":"object","class":"a:Order","fields":{"n":2,"total":6}}'
        assert Order(2, 3) == decode(text, lambda name: Order)

    def test_a_pydantic_dataclass_comes_back(self) -> None:
        """Its own validator builds it, by the names of its fields."""

        @pydantic.dataclasses.dataclass
        class Order:
            n: Annotated[int, Field(alias="N", ge=0)]
            made: str = dataclasses.field(default="x", init=False)

        value = Order(N=1)  # type: ignore[call-arg]
        value.made = "y"
        text = encode(value)
        assert value == decode(text, lambda name: Order)
        with pytest.warns(UnresolvedClassWarning, match="n: Input should be greater than or equal to 0"):
            assert -1 == decode(text.replace('"n":1', '"n":-1'), lambda name: Order).n

    def test_a_field_that_fits_is_not_converted(self) -> None:
        """An int in a field for floats stays an int, a tuple in a field for anything a tuple."""

        @dataclasses.dataclass
        class Mixed:
            price: float
            sizes: list[float]
            any: object

        assert fingerprint(Mixed(1, [2], (3,))) == fingerprint(decode(encode(Mixed(1, [2], (3,))), lambda name: Mixed))

    def test_fields_of_classes_with_a_configuration_are_checked(self) -> None:
        """A model or a TypedDict as an annotation; the latter only where pydantic takes it."""

        class Extra(TypedDict):
            n: int

        @dataclasses.dataclass
        class Cart:
            item: Item
            extra: Extra

        value = Cart(Item(sku="a"), {"n": 1})
        assert value == decode(encode(value), lambda name: Cart if "Cart" in name else Item)
        text = '{"$":"object","class":"a:Cart","fields":{"item":{"sku":5},"extra":{"n":1}}}'
        with pytest.warns(UnresolvedClassWarning, match=r"item\.sku: Input should be a valid string \(given 5\)"):
            decode(text, lambda name: Cart)

    def test_a_field_that_cannot_be_compared_comes_back(self) -> None:
        """Comparing a signaling NaN is an error, storing it is not."""

        @dataclasses.dataclass
        class Price:
            amount: Decimal | Any

        arrived = decode(encode(Price(Decimal("sNaN"))), lambda name: Price)
        assert "Price" == type(arrived).__name__
        assert arrived.amount.is_snan()

    def test_a_field_that_lost_its_class_is_rebuilt_from_the_annotation(self) -> None:
        """A class that moved to another module is still found where a field names it."""

        @dataclasses.dataclass
        class Cart:
            items: list[Item]
            size: Size

        text = encode(Cart([Item(sku="a")], Size.LARGE)).replace("value_classes:Item", "gone:Item")
        text = text.replace("value_classes:Size", "gone:Size")
        with pytest.warns(UnresolvedClassWarning):
            arrived = decode(text, lambda name: Cart if "Cart" in name else None)
        assert Cart([Item(sku="a")], Size.LARGE) == arrived
        assert Size is type(arrived.size)

    def test_annotations_that_cannot_be_read_are_not_checked(self) -> None:
        """A name that only the type checker knows is no reason to lose the class."""

        @dataclasses.dataclass
        class Loose:
            a: "Unknown"  # type: ignore[name-defined]  # noqa: F821

        assert Loose(1) == decode(encode(Loose(1)), lambda name: Loose)

    def test_annotations_that_are_no_types_are_not_checked(self) -> None:
        """Each field is checked for itself."""

        @dataclasses.dataclass
        class Half:
            a: "type[int] | NotAType"  # type: ignore[name-defined]
            b: int

        NotAType = 5  # noqa: N806
        Half.__annotations__["a"] = NotAType
        assert Half(1, 2) == decode(encode(Half(1, 2)), lambda name: Half)
        with pytest.warns(UnresolvedClassWarning, match="b: Input should be a valid integer"):
            decode(encode(Half(1, "x")), lambda name: Half)  # type: ignore[arg-type]

    def test_dataclasses_come_back_without_pydantic(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where pydantic is not installed, fields are checked all the same."""

        @dataclasses.dataclass
        class Order:
            n: int

        monkeypatch.setitem(sys.modules, "pydantic", None)
        assert Order(1) == decode(encode(Order(1)), lambda name: Order)
        with pytest.warns(UnresolvedClassWarning, match="n: Input should be a valid integer"):
            decode(encode(Order("x")), lambda name: Order)  # type: ignore[arg-type]

        @dataclasses.dataclass
        class Rated:
            stars: Annotated[int, Field(le=5)]

        assert Rated(6) == decode(encode(Rated(6)), lambda name: Rated)

    def test_a_named_tuple_gets_the_defaults_of_new_fields(self) -> None:
        """A field with a default may be added while instances run."""
        assert Point(1) == decode('{"$":"object","class":"value_classes:Point","fields":{"x":1}}')

    def test_an_enum_is_found_by_value_and_else_by_name(self) -> None:
        """A renamed member keeps its value, a member with a new value its name."""
        assert Size.LARGE is decode('{"$":"enum","class":"value_classes:Size","name":"BIG","v":"l"}')
        assert Size.LARGE is decode('{"$":"enum","class":"value_classes:Size","name":"LARGE","v":"xl"}')
