from types import ModuleType

import pytest

from cfworkflows import WorkerEntrypoint, WorkflowEntrypoint
from cfworkflows_emulator.runtime.exports import Exports, find_exports


class Default(WorkerEntrypoint):
    pass


class Admin(WorkerEntrypoint):
    pass


class Order(WorkflowEntrypoint):
    pass


async def handler(request, env, ctx):
    pass


def module(**names):
    made = ModuleType("entry")
    vars(made).update(names)
    return made


def test_subclasses_are_found_by_name():
    """Default, the named entrypoints and the Workflows are told apart; the SDK's own classes are none of them."""
    found = find_exports(
        module(
            Default=Default,
            Admin=Admin,
            Order=Order,
            Alias=Order,
            _Hidden=Order,
            WorkerEntrypoint=WorkerEntrypoint,
            WorkflowEntrypoint=WorkflowEntrypoint,
            number=1,
            Other=dict,
        )
    )
    assert Exports(default=Default, named={"Admin": Admin}, workflows={"Order": Order, "Alias": Order}) == found


def test_all_says_what_is_exported():
    """With __all__ a public class that it does not name is not there, and a hidden one that it names is."""
    found = find_exports(module(Default=Default, Order=Order, _Late=Order, __all__=["Default", "_Late"]))
    assert Exports(default=Default, workflows={"_Late": Order}) == found


def test_all_with_an_unknown_name_is_an_error():
    """A name in __all__ that is not defined is reported."""
    with pytest.raises(AttributeError, match="names 'Gone', which is not defined"):
        find_exports(module(__all__=["Gone"]))


def test_module_level_handlers_are_found():
    """`on_fetch` of an old file is the default entrypoint; a handler that cannot be called is none."""
    found = find_exports(module(on_fetch=handler, on_scheduled=handler, on_queue=1))
    assert Exports(global_handlers={"on_fetch": handler, "on_scheduled": handler}) == found


def test_two_default_entrypoints_are_an_error():
    """A class Default beside a module-level handler is refused, in the platform's words."""
    with pytest.raises(TypeError, match=r"^Cannot define multiple default entrypoints") as caught:
        find_exports(module(Default=Default, on_queue=handler))
    assert "on_queue" in caught.value.__notes__[0]
