"""The options of a method of a binding, in every form they may be given in."""

import pytest

from cfworkflows_bindings.forms import Form, snake_case

FORM = Form("id", "locationHint", "from")


@pytest.mark.parametrize(
    ("options", "keywords"),
    [
        ({"id": 1, "locationHint": 2, "from": 3}, {}),
        ({"id": 1, "location_hint": 2, "from_": 3}, {}),
        (None, {"id": 1, "locationHint": 2, "from_": 3}),
        ({"id": 1}, {"location_hint": 2, "from_": 3}),
        ({"id": 0, "locationHint": 0, "from": 0}, {"id": 1, "location_hint": 2, "from_": 3}),
    ],
    ids=["camelCase", "snake_case", "keywords", "both", "a keyword replaces"],
)
def test_options_are_read_in_every_form(options, keywords):
    """They come out by their names in snake_case."""
    assert {"id": 1, "location_hint": 2, "from_": 3} == FORM.read("call()", options, keywords)


@pytest.mark.parametrize("options", [None, {}])
def test_nothing_is_nothing(options):
    """Nothing is filled in."""
    assert {} == FORM.read("call()", options)


@pytest.mark.parametrize(
    ("options", "keywords", "text"),
    [
        (5, {}, "call() takes an object with id, locationHint and from, not 5"),
        (["id"], {"id": 1}, "call() takes an object with id, locationHint and from, not ['id']"),
        ({"id": 1, "Id": 2, 3: 4}, {}, "call() does not know Id, 3; it takes id, locationHint and from"),
        (None, {"location": 1}, "call() does not know location; it takes id, locationHint and from"),
    ],
)
def test_other_options_are_refused(options, keywords, text):
    """The error names what is wrong, and what there is."""
    with pytest.raises(TypeError) as caught:
        FORM.read("call()", options, keywords)
    assert text == str(caught.value)


@pytest.mark.parametrize(
    ("more", "meant"),
    [(({},), 'not 2 arguments: write call({"id": …, "locationHint": …})'), ((1, 2, 3), "not 4 arguments: ")],
)
def test_more_than_the_object_is_refused(more, meant):
    """The error shows the one object that is meant."""
    with pytest.raises(TypeError) as caught:
        FORM.read("call()", "name", {}, *more)
    assert "call() takes one object with id, locationHint and from, " in str(caught.value)
    assert meant in str(caught.value)


def test_one_name_stands_alone():
    """In the text of an error."""
    assert "rollback" == str(Form("rollback"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("id", "id"), ("successRetention", "success_retention"), ("from", "from_"), ("_id", "_id"), ("a_b", "a_b")],
)
def test_names_in_snake_case(name, expected):
    """A keyword of Python has an underscore behind it."""
    assert expected == snake_case(name)
