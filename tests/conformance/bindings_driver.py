"""Plays the scenarios of the bindings against `cfwf dev`, and prints what differs from the recordings of the platform's
local server.

    python bindings_driver.py [--only REGEX] [--group kv,d1] [--keywords] [--all] [--out DIR]

Differences that a row of bindings/parity.toml explains are counted and not printed, unless `--all` is given.
"""

import argparse
import asyncio
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
from bindings_comparison import FOLDER, PARITY, compare, scenarios
from bindings_player import BindingsPlayer
from comparison import rows, unexplained
from driver import Answers, report
from target import Target

WORKERS = (FOLDER / "main", FOLDER / "service")


async def play(
    chosen: Iterable[dict[str, Any]], *, keywords: bool = False, jobs: int = 8, own_jobs: int = 2
) -> Answers:
    """The answers of a server to scenarios: most share one, those that kill it have one each. Scenarios of one lane are
    played one after the other. With `keywords`, options are written as keywords.
    """
    chosen = list(chosen)
    answers: Answers = {}
    lanes: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for number, each in enumerate(each for each in chosen if not each.get("own")):
        lanes[each.get("lane", number)].append(each)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def one(scenario: dict[str, Any], target: Target) -> None:
            answers[scenario["name"]] = await BindingsPlayer(session, target, keywords=keywords).play(scenario)

        async def lane(name: Any, listed: list[dict[str, Any]], target: Target, turn: asyncio.Semaphore) -> None:
            if isinstance(name, str):  # it waits for time, and not for the processor
                for each in listed:
                    await one(each, target)
                return
            async with turn:
                await one(listed[0], target)

        async def own(scenario: dict[str, Any], turn: asyncio.Semaphore) -> None:
            async with turn, Target(*WORKERS) as target:
                await one(scenario, target)

        if lanes:
            async with Target(*WORKERS) as target:
                turn = asyncio.Semaphore(jobs)
                await asyncio.gather(*(lane(name, listed, target, turn) for name, listed in lanes.items()))
        turn = asyncio.Semaphore(own_jobs)
        await asyncio.gather(*(own(each, turn) for each in chosen if each.get("own")))
    return answers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="scenarios whose name this pattern is found in")
    parser.add_argument("--group", default="", help="scenarios of these groups")
    parser.add_argument("--keywords", action="store_true", help="write the options of calls as keywords")
    parser.add_argument("--jobs", type=int, default=8, help="scenarios at the same time on the shared server")
    parser.add_argument("--all", action="store_true", help="print what parity.toml explains, too")
    parser.add_argument("--out", type=Path, help="folder for the answers, a file each")
    options = parser.parse_args()
    groups = [group for group in options.group.split(",") if group]
    chosen = [
        each
        for each in scenarios()
        if re.search(options.only, each["name"]) and (not groups or each["group"] in groups)
    ]
    answers = asyncio.run(play(chosen, keywords=options.keywords, jobs=options.jobs))
    table = rows(PARITY)
    found = {each["name"]: compare(each, answers[each["name"]]) for each in chosen}
    left = {name: unexplained(differences, table) for name, differences in found.items()}
    return report(chosen, answers, found, left, show_all=options.all, out=options.out)


if __name__ == "__main__":
    sys.exit(main())
