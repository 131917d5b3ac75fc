"""The namespace that a command is about."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from cfworkflows_emulator.cli.options import fail
from cfworkflows_emulator.cli.workflows.options import Target, common
from cfworkflows_emulator.shown import shown

if TYPE_CHECKING:
    from cfworkflows_emulator.cli.workflows.client import Client

LISTED = "/storage/kv/namespaces"


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace as the options of a command name it: by a binding, or by its id."""

    target: Target
    binding: str | None
    id: str | None

    @contextmanager
    def opened(self) -> "Iterator[tuple[Client, str]]":
        """A client, and the path of the routes of the namespace. Raises CfworkflowsError if it is not there."""
        with asked(self.target) as client:
            yield client, f"{LISTED}/{quote(self.id or self._id(client), safe='')}"

    def _id(self, client: "Client") -> str:
        workers = client.request("GET", "/local/workers").result
        bound = {each["bindingName"]: each["id"] for worker in reversed(workers) for each in worker["bindings"]["kv"]}
        if self.binding not in bound:
            from cfworkflows.errors import CfworkflowsError

            known = ", ".join(sorted(bound)) or "none"
            raise CfworkflowsError(
                f'A namespace with binding name "{self.binding}" was not found in the configured "kv_namespaces". '
                f"There are: {known}."
            )
        return str(bound[self.binding])


@contextmanager
def asked(target: Target) -> "Iterator[Client]":
    """A client, after a line on the standard error that says what it asks."""
    from cfworkflows_emulator.cli.workflows.connection import connect

    with connect(target, changes=True) as client:
        click.echo(shown(f"Using {client.where}."), err=True)
        yield client


def about_namespace(command: Callable[..., None]) -> Callable[..., None]:
    """The options that make a `namespace`, and those of all commands."""

    @wraps(command)
    def with_namespace(
        target: Target, *, binding: str | None, namespace_id: str | None, remote: bool, **options: Any
    ) -> None:
        if remote:
            fail("--remote is not supported: no command reaches Cloudflare. Use wrangler for data that is there.")
        if (binding is None) == (namespace_id is None):
            raise click.UsageError("Give either --binding or --namespace-id.")
        command(Namespace(target, binding, namespace_id), **options)

    for option in (
        click.option("--remote", is_flag=True, hidden=True),
        click.option("--namespace-id", help="Id of the namespace."),
        click.option("--binding", help="Name of a binding to the namespace."),
    ):
        with_namespace = option(with_namespace)
    return common(with_namespace)
