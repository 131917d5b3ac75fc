"""The saga in the examples' README does what the text below it says."""

import re

import pytest
from serving import EXAMPLES

import cfworkflows
from cfworkflows import NonRetryableError
from cfworkflows.values import JsDict

SAGA = re.search(r"```python\n(class OrderSaga.*?)```", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    ("failing", "expected"),
    [("charge_card", ["release 1"]), ("confirm_order", ["refund 2", "release 1"]), (None, [])],
)
async def test_the_saga_is_undone_from_where_it_failed(serve, failing, expected):
    """The latest step first; the step that failed is called too, with no output."""
    undone = []

    def service(name, value=None):
        def call(*arguments):
            if name == failing:
                raise NonRetryableError(f"{name} failed")
            return value

        return call

    names = {
        "WorkflowEntrypoint": cfworkflows.WorkflowEntrypoint,
        "reserve_items": service("reserve_items", JsDict(id=1)),
        "charge_card": service("charge_card", JsDict(id=2)),
        "confirm_order": service("confirm_order"),
        "release_reservation": lambda id: undone.append(f"release {id}"),
        "refund": lambda id: undone.append(f"refund {id}"),
    }
    exec(SAGA[1], names)
    server = await serve(names["OrderSaga"])
    status = await server.finish(await server.create(params={"sku": "s", "card": "c"}))
    assert expected == undone
    assert ({"outcome": "complete", "error": None} if failing else None) == status.rollback
