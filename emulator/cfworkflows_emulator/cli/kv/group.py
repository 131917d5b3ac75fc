"""`cfwf kv`."""

import click

from cfworkflows_emulator.cli.kv.bulk import BULK
from cfworkflows_emulator.cli.kv.keys import KEYS
from cfworkflows_emulator.cli.options import fail
from cfworkflows_emulator.cli.workflows.options import Commands, Target, common


@click.group("kv", cls=Commands)
def command() -> None:
    """Show and change the keys of KV namespaces, which --binding or --namespace-id names.

    A running `cfwf dev` is asked, or without one the state folder itself is used. Nothing leaves this machine.

    \b
    Examples:
      cfwf kv key put greeting hello --binding CACHE --ttl 3600
      cfwf kv key get greeting --binding CACHE
      cfwf kv bulk put pairs.json --binding CACHE
    """


@command.group(cls=Commands)
def key() -> None:
    """Store, read, list and delete keys."""


@command.group(cls=Commands)
def bulk() -> None:
    """Store, read and delete many keys at once."""


@command.group(cls=Commands)
def namespace() -> None:
    """Show namespaces."""


@namespace.command("list")
@click.option("--remote", is_flag=True, hidden=True)
@common
def list_namespaces(target: Target, *, as_json: bool, remote: bool) -> None:
    """The namespaces that Workers are bound to, as JSON."""
    from cfworkflows_emulator.cli.kv.namespace import LISTED, asked
    from cfworkflows_emulator.cli.workflows.output import print_json

    if remote:
        fail("--remote is not supported: no command reaches Cloudflare. Use `wrangler kv namespace list`.")
    with asked(target) as client:
        print_json(client.request("GET", LISTED).result)


for each in KEYS:
    key.add_command(each)
for each in BULK:
    bulk.add_command(each)
