"""Plays the scenarios against `cfwf dev`, and prints what differs from the recordings of the platform's local server.

    python driver.py [--only REGEX] [--group steps,events] [--skip-actions subscribe,rest] [--all] [--out DIR]

Differences that a row of parity.toml explains are counted and not printed, unless `--all` is given.
"""

import argparse
import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
from comparison import Difference, compare, rows, scenarios, unexplained
from scenario import Collector, Player
from target import Target

Answers = dict[str, list[dict[str, Any]]]


async def play(chosen: Iterable[dict[str, Any]], *, jobs: int = 32, own_jobs: int = 2) -> Answers:
    """The answers of a server to scenarios: most share one, and those that kill it have one each."""
    chosen = list(chosen)
    answers: Answers = {}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        await _play_shared(session, [each for each in chosen if each["server"] != "own"], answers, jobs)
        await _play_own(session, [each for each in chosen if each["server"] == "own"], answers, own_jobs)
    return answers


async def _play_shared(
    session: aiohttp.ClientSession, chosen: list[dict[str, Any]], answers: Answers, jobs: int
) -> None:
    if not chosen:
        return
    turn = asyncio.Semaphore(jobs)
    target = Target()
    async with Collector() as collector:

        async def one(scenario: dict[str, Any]) -> None:
            async with turn:
                answers[scenario["name"]] = await Player(session, target, collector).play(scenario)

        try:
            await target.start()
            await asyncio.gather(*(one(each) for each in chosen if each["server"] == "shared"))
            for each in chosen:
                if each["server"] == "serial":
                    await one(each)
        finally:
            await target.kill()
            target.wipe()


async def _play_own(session: aiohttp.ClientSession, chosen: list[dict[str, Any]], answers: Answers, jobs: int) -> None:
    turn = asyncio.Semaphore(jobs)

    async def one(scenario: dict[str, Any]) -> None:
        async with turn, Collector() as collector:
            target = Target()
            try:
                await target.start()
                answers[scenario["name"]] = await Player(session, target, collector).play(scenario)
            finally:
                await target.kill()
                target.wipe()

    await asyncio.gather(*(one(each) for each in chosen))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="scenarios whose name this pattern is found in")
    parser.add_argument("--group", default="", help="scenarios of these groups")
    parser.add_argument("--skip-actions", default="", help="actions that are played and not compared")
    parser.add_argument("--jobs", type=int, default=32, help="scenarios at the same time on the shared server")
    parser.add_argument(
        "--own-jobs", type=int, default=2, help="servers at the same time, for scenarios with their own"
    )
    parser.add_argument("--all", action="store_true", help="print what parity.toml explains, too")
    parser.add_argument("--out", type=Path, help="folder for the answers, a file each")
    options = parser.parse_args()
    groups = [group for group in options.group.split(",") if group]
    chosen = [
        each
        for each in scenarios()
        if re.search(options.only, each["name"]) and (not groups or each["group"] in groups)
    ]
    answers = asyncio.run(play(chosen, jobs=options.jobs, own_jobs=options.own_jobs))
    table, skipped = rows(), options.skip_actions.split(",")
    found = {each["name"]: compare(each["name"], answers[each["name"]], skipped) for each in chosen}
    left = {name: unexplained(differences, table) for name, differences in found.items()}
    return report(chosen, answers, found, left, show_all=options.all, out=options.out)


def report(
    chosen: list[dict[str, Any]],
    answers: Answers,
    found: dict[str, list[Difference]],
    left: dict[str, list[Difference]],
    *,
    show_all: bool,
    out: Path | None,
) -> int:
    """Print what was `found` and what is `left` of it by scenario, and write the answers into the folder `out`. The
    code to exit with.
    """
    verdicts: Counter[str] = Counter()
    for each in chosen:
        name = each["name"]
        if out:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{name}.json").write_text(json.dumps(answers[name], indent=1, ensure_ascii=False))
        verdicts["differ" if left[name] else "differ as parity.toml says" if found[name] else "same"] += 1
        shown = found[name] if show_all else left[name]
        if shown:
            print(f"{name} ({each['group']})", *shown, sep="\n   ")
    print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()), f"of {len(chosen)}")
    return int("differ" in verdicts)


if __name__ == "__main__":
    sys.exit(main())
