import subprocess
import sys

import pytest

WORKFLOW = """
[[workflows]]
name = "order"
binding = "ORDERS"
class_name = "Order"
"""


async def test_no_configuration(failing, tmp_path):
    """A folder without a configuration is told what to write."""
    assert "No configuration file was found." in await failing(cwd=tmp_path)


async def test_a_typo_in_the_configuration(write, failing):
    """A wrong value is shown with its place and a suggestion."""
    write(config="workflows = 5\n")
    text = await failing()
    assert text.startswith("error: Processing wrangler.toml configuration:")
    assert "wrangler.toml:3" in text


async def test_broken_toml(write, failing):
    """A file that does not parse is shown with its line."""
    write(config="[vars\n")
    assert "wrangler.toml:3" in await failing()


async def test_an_unknown_environment(write, failing):
    """--env must be there if there are environments."""
    write(config="[env.staging.vars]\nA = 'x'\n")
    assert 'No environment found in configuration with name "nope"' in await failing("--env", "nope")


async def test_a_worker_that_does_not_import(write, failing):
    """The error of the module is shown, trimmed to the user's code; unless files are watched, the command ends."""
    write("def setup():\n    raise KeyError('MISSING')\nsetup()\n")
    text = await failing("--no-watch")
    assert "entry.py could not be imported." in text
    assert text.endswith("KeyError: 'MISSING'")
    assert "importlib" not in text


async def test_a_worker_with_a_syntax_error(write, failing):
    """The line that is no Python is shown."""
    write("def f(:\n")
    assert "SyntaxError" in await failing("--no-watch")


async def test_a_workflow_class_that_is_missing(write, failing):
    """A class that the configuration names must be in the file."""
    write(config=WORKFLOW)
    text = await failing("--no-watch")
    assert "class Order (workflows[0].class_name, wrangler.toml:7:14) is not in src/entry.py" in text


async def test_a_script_that_is_missing(write, failing):
    """SCRIPT must be a file."""
    write()
    assert 'error: The entry-point file at "nope.py" was not found.' == await failing("nope.py")


async def test_an_env_file_that_is_missing(write, failing):
    """--env-file must be there."""
    write()
    assert "nope.env" in await failing("--env-file", "nope.env")


async def test_an_address_of_another_machine(write, failing):
    """--ip must be an address of this machine."""
    write()
    text = await failing("--ip", "192.0.2.7")
    assert "error: cfwf cannot listen on 192.0.2.7:0: Cannot assign requested address." in text


async def test_a_name_that_is_no_address(write, failing):
    """--ip with nonsense says what to do."""
    write()
    assert "Choose another address with --ip" in await failing("--ip", "no such host")


async def test_a_state_folder_that_is_a_file(write, failing, tmp_path):
    """A file in place of the folder cannot hold the state."""
    write()
    (tmp_path / "taken").write_text("")
    assert f"{tmp_path}/taken cannot be used as state folder: File exists." in await failing("--persist-to", "./taken")


async def test_a_state_folder_that_cannot_be_written(write, failing):
    """A folder that cannot be made says so."""
    write()
    assert "/proc/state cannot be used as state folder" in await failing("--persist-to", "/proc/state")


async def test_a_state_folder_in_use(write, failing, running):
    """A second server on the same state is refused, with who has it."""
    write()
    async with running() as dev:
        text = await failing()
    assert f"is in use by another process (pid {dev.process.pid}:" in text


async def test_a_database_that_is_none(write, failing, tmp_path):
    """A file that is no SQLite database is named, and left as it is."""
    write()
    database = tmp_path / "state/workflows.sqlite"
    database.parent.mkdir()
    database.write_text("this is not a database, but a text that is long enough to look like a file" * 20)
    before = database.read_bytes()
    assert f"{database}: file is not a database." in await failing("--persist-to", "state")
    assert before == database.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--var", "NOCOLON"], "'NOCOLON' is not KEY:VALUE"),
        (["--var", ":x"], "':x' is not KEY:VALUE"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--log-level", "loud"], "'loud' is not one of"),
        (["--cwd", "/nope"], "does not exist"),
        (["--nope"], "No such option"),
    ],
)
async def test_wrong_options(write, starting, arguments, message):
    """A wrong option is explained, with exit code 2."""
    write()
    async with starting(*arguments) as dev:
        assert 2 == await dev.ended()
    assert message in dev.text


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("arguments", ["--help", "dev --help", "--version"])
def test_help_is_quick(arguments):
    """Help and version import none of the packages that the server stands on."""
    heavy = {"aiohttp", "pydantic", "rich", "aiosqlite", "tomlkit", "json5", "dotenv"}
    script = (
        "import sys\nfrom cfworkflows_emulator.cli.main import main\n"
        f"try:\n    main({arguments.split()!r})\nexcept SystemExit as stop:\n    assert not stop.code\n"
        f"print('loaded:', *sorted({heavy!r} & set(sys.modules)))"
    )
    assert "loaded:" == python("-c", script).splitlines()[-1].strip()


def test_the_version_is_that_of_the_package():
    """cfwf --version prints what the package says."""
    import cfworkflows

    script = "from cfworkflows_emulator.cli.main import main\nmain(['--version'])"
    assert f"cfworkflows {cfworkflows.__version__}\n" == python("-c", script)


def test_the_server_needs_no_rich():
    """Serving prints plain text: rich is never imported."""
    script = "import sys, cfworkflows_emulator.dev.serving\nprint('rich' in sys.modules)"
    assert "False\n" == python("-c", script)
