"""`cfwf state save | load | list | diff | branch | rm | du | reset`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfworkflows_emulator.cli.options import fail, say
from cfworkflows_emulator.cli.workflows.options import Commands, Target, common

if TYPE_CHECKING:
    from cfworkflows_emulator.cli.state.place import Place

LONGEST_DIFF = 200
"""So many lines of a comparison are shown to people."""


@click.group("state", cls=Commands)
def command() -> None:
    """Save, load, compare and branch the whole state: instances, KV, D1, R2, and the clock, at one moment.

    A running `cfwf dev` goes on while it is saved, and loads a save without refusing a request. Nothing is lost: what
    is replaced becomes a save itself.

    \b
    Examples:
      cfwf state save before-checkout
      cfwf state diff before-checkout
      cfwf state load before-checkout
      cfwf state branch experiment && cfwf dev --state experiment
    """


def _place(target: Target) -> "Place":
    from cfworkflows_emulator.cli.state.place import place_of

    return place_of(target)


def _done(place: "Place", text: str, result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        from cfworkflows_emulator.cli.workflows.output import print_json

        print_json({"state": str(place.state), "server": place.address, **result})
    else:
        say(f"{text}\nState: {place.shown}")


@command.command()
@click.argument("name")
@click.option("-f", "--force", is_flag=True, help="Replace the save of that name, if there is one.")
@common
def save(target: Target, *, as_json: bool, name: str, force: bool) -> None:
    """Save the state as it is now."""
    place = _place(target)
    path = place.copy("saves", name, replace=force)
    size = place.saves.size(path)
    _done(place, f"Saved {name} ({size:,} bytes).", {"name": name, "path": str(path), "size": size}, as_json=as_json)


@command.command()
@click.argument("name")
@common
def load(target: Target, *, as_json: bool, name: str) -> None:
    """Go back to a save, which stays. What there is now becomes the save `before-load-…`."""
    place = _place(target)
    before = place.load(name)
    _done(place, f"Loaded {name}.{_kept(before)}", {"name": name, "before": before}, as_json=as_json)


@command.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def reset(target: Target, *, as_json: bool, yes: bool) -> None:
    """Begin with an empty state. What there is now becomes the save `before-reset-…`."""
    place = _place(target)
    if not yes:
        click.confirm(f"Empty {place.shown}? It is saved before.", abort=True, err=True)
    before = place.load(None)
    _done(place, f"The state is empty.{_kept(before)}", {"before": before}, as_json=as_json)


def _kept(before: str | None) -> str:
    return f" The state before is the save {before}." if before is not None else ""


@command.command("list")
@common
def list_copies(target: Target, *, as_json: bool) -> None:
    """List the saves and the branches."""
    from cfworkflows_emulator.cli.workflows.output import table

    place = _place(target)
    saves = place.saves
    found: dict[str, list[dict[str, Any]]] = {
        group: [{"name": each.name, "made": each.made, "path": str(each.path)} for each in saves.all(group)]
        for group in ("saves", "branches")
    }
    if not as_json and any(found.values()):
        rows = [(each["name"], group, each["made"]) for group in found for each in found[group]]
        table(("Name", "Of", "Made"), rows)
    text = "" if any(found.values()) else "There are no saves and no branches."
    _done(place, text, {"current": saves.current, **found}, as_json=as_json)


@command.command()
@click.argument("before", metavar="[A]", required=False)
@click.argument("after", metavar="[B]", required=False)
@common
def diff(target: Target, *, as_json: bool, before: str | None, after: str | None) -> None:
    """Show what changed from A to B: names of saves or branches. B is the state as it is now by default, A the newest
    save.
    """
    from cfworkflows_emulator.cli.state.place import shown_path
    from cfworkflows_emulator.runtime import differences

    place = _place(target)
    saves = place.saves
    if before is None:
        newest = list(saves.all("saves"))
        if not newest:
            fail("There is no save to compare the state with: `cfwf state save NAME` makes one.")
        before = newest[-1].name
    left, right = _copy(place, before), _copy(place, after) if after is not None else place.state
    found = list(differences(left, right))
    if not as_json:
        say(f"From {shown_path(left)} to {shown_path(right)}:")
        for each in found[:LONGEST_DIFF]:
            sign = "+" if each.before is None else "-" if each.after is None else "~"
            what = " → ".join(text for text in (each.before, each.after) if text is not None)
            say(f"{sign} {each.place}  {each.item}  {what}")
        if len(found) > LONGEST_DIFF:
            say(f"… and {len(found) - LONGEST_DIFF:,} more: --json shows all.")
    text = f"{len(found):,} differences." if found else "Nothing differs."
    _done(
        place, text, {"from": str(left), "to": str(right), "differences": [e._asdict() for e in found]}, as_json=as_json
    )


def _copy(place: "Place", name: str) -> Path:
    """The folder of a save or a branch."""
    saves = place.saves
    if name == "main" or name in [each.name for each in saves.all("branches")]:
        return saves.branch(name)
    return saves.find(name)


@command.command()
@click.argument("name")
@click.option("--from", "save_name", metavar="SAVE", help="Save to begin with, instead of the state as it is now.")
@common
def branch(target: Target, *, as_json: bool, name: str, save_name: str | None) -> None:
    """Make a branch of the state, for `cfwf dev --state NAME`."""
    place = _place(target)
    path = place.copy("branches", name) if save_name is None else place.branch_of(save_name, name)
    _done(
        place, f"Made {name}: `cfwf dev --state {name}` runs on it.", {"name": name, "path": str(path)}, as_json=as_json
    )


@command.command()
@click.argument("name")
@click.option("--branch", "is_branch", is_flag=True, help="Remove a branch, instead of a save.")
@common
def rm(target: Target, *, as_json: bool, name: str, is_branch: bool) -> None:
    """Remove a save, or a branch that no server runs on."""
    from cfworkflows_emulator.storage import StateFolder

    place = _place(target)
    saves = place.saves
    if not is_branch:
        saves.remove("saves", name)
    elif name == "main":
        fail("`main` is no branch: `cfwf state reset` empties it.")
    else:
        with StateFolder(saves.branch(name)):
            pass
        saves.remove("branches", name)
    _done(place, f"Removed {name}.", {"name": name}, as_json=as_json)


@command.command()
@common
def du(target: Target, *, as_json: bool) -> None:
    """Show how large the state, the saves and the branches are. Files that they share are counted in each."""
    from cfworkflows_emulator.cli.workflows.output import table

    place = _place(target)
    saves = place.saves
    sizes = [{"name": saves.current, "of": "current", "size": saves.size(place.state) if place.state.is_dir() else 0}]
    for group in ("saves", "branches"):
        sizes += [{"name": each.name, "of": group, "size": saves.size(each.path)} for each in saves.all(group)]
    if not as_json:
        table(("Name", "Of", "Bytes"), [(str(each["name"]), str(each["of"]), f"{each['size']:,}") for each in sizes])
    _done(place, "", {"sizes": sizes}, as_json=as_json)


@command.command("import")
@click.argument("folder", default=".wrangler/state", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", default="wrangler", show_default=True, help="Save to make of it.")
@click.option("-f", "--force", is_flag=True, help="Replace the save of that name, if there is one.")
@click.option("--load/--no-load", "loads", default=True, help="Whether the save is loaded. [--load]")
@common
def import_state(target: Target, *, as_json: bool, folder: Path, name: str, force: bool, loads: bool) -> None:
    """Take over what `wrangler dev` kept: KV namespaces, D1 databases and R2 buckets of the configuration. It becomes a
    save, which is loaded; the files of wrangler stay. What there was becomes the save `before-load-…`.
    """
    import os

    from cfworkflows_emulator.config.loading import load_config
    from cfworkflows_emulator.runtime import take_over

    place = _place(target)
    cwd = (target.cwd or Path()).absolute()
    config = load_config(target.config, cwd=cwd, env=target.env, process_env=os.environ)
    taken, left = take_over(config, folder.absolute(), place.state, name, replace=force)
    before = place.load(name) if loads and taken else None
    if not as_json:
        for each in taken:
            say(f"Took over {each.place}: {each.number:,} {each.items}.")
        for one in left:
            say(f"Left {one.place}: {one.why}.")
    text = (
        f"{'Loaded' if loads else 'Made'} {name}.{_kept(before)}" if taken else f"Nothing was taken over into {name}."
    )
    result = {"name": name, "taken": [e._asdict() for e in taken], "left": [e._asdict() for e in left]}
    _done(place, text, {**result, "before": before}, as_json=as_json)
