"""The command.

    python -m benchmarks [--peer] [--only instances,steps] [--runs 3] [--tiny] [--json FILE]

With --peer, `wrangler dev` is measured in turns with ours; npm installs it first, below benchmarks/.peer.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measures import MEASURES
from benchmarks.peer import Peer
from benchmarks.servers import Ours, Side
from benchmarks.sizes import FULL, TINY, Sizes
from benchmarks.table import NotMeasuredError, Table, machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="store_true", help="measure wrangler dev beside it")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(MEASURES)}")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measure; the table has the medians")
    parser.add_argument("--tiny", action="store_true", help="a little of everything, to see that it works")
    parser.add_argument("--sleepers", type=int, help="instances of the measure `scale` [100,000]")
    parser.add_argument("--json", type=Path, help="write what was measured into this file")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(MEASURES)
    if unknown := set(names) - MEASURES.keys():
        parser.error(f"there is no measure {', '.join(sorted(unknown))}: choose from {', '.join(MEASURES)}")
    sizes = TINY if options.tiny else FULL
    if options.sleepers is not None:
        sizes = sizes.with_sleepers(options.sleepers)
    with tempfile.TemporaryDirectory(prefix="cfwf-bench-") as cache:
        sides: list[Side] = [Ours(Path(cache))]
        if options.peer:
            sides.append(Peer.installed())
        table = asyncio.run(measure(names, sides, sizes, options.runs))
    print(machine(sides))
    print(table.text())
    if options.json is not None:
        options.json.write_text(json.dumps({"machine": machine(sides), "rows": table.as_dicts()}, indent=2))


async def measure(names: list[str], sides: list[Side], sizes: Sizes, runs: int) -> Table:
    """Each measure, `runs` times, side by side: a load of the machine from elsewhere meets all of them."""
    table = Table(peer=len(sides) > 1)
    for name in names:
        each = MEASURES[name]
        for row in each.rows(sizes):
            table.add(row)
        for run in range(min(runs, each.most_runs)):
            for side in sides if each.has_peer else sides[:1]:
                print(f"{name}: {side.name}, run {run + 1}", file=sys.stderr)
                try:
                    table.take(side.is_ours, await each.measure(side, sizes))
                except NotMeasuredError as reason:
                    print(f"{name}: {reason}", file=sys.stderr)
                    for row in each.rows(sizes):
                        table.leave_out(row, f"{name}. {reason}")
                except Exception as error:
                    error.add_note(f"It was measuring {name} of {side.name}.")
                    raise
    return table


if __name__ == "__main__":
    main()
