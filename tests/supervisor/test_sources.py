import time
from pathlib import Path

import pytest

from cfworkflows_emulator.supervisor.child import cause
from cfworkflows_emulator.supervisor.sources import UNSURE, Sources, digests, forget_bytecode


def made(tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    long_after = time.time_ns() + 10**12
    return Sources(digests([str(tmp_path / "absent.env")], [str(tmp_path)], long_after), [str(tmp_path)])


def test_a_change_of_content_is_told_once(tmp_path):
    """What was touched is the same; what has other text, is new or is gone has changed."""
    sources = made(tmp_path, a="1", b="2", c="3")
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("other")
    (tmp_path / "c.py").unlink()
    (tmp_path / "d.py").write_text("new")
    (tmp_path / "absent.env").write_text("A=1")
    (tmp_path / "notes.txt").write_text("no source")
    assert {"b.py", "c.py", "d.py", "absent.env"} == {Path(path).name for path in sources.changed()}
    assert [] == sources.changed()


def test_only_what_counts_is_looked_at(tmp_path):
    """A path that is no source, or lies in a folder of others' code, is not one of the changes."""
    sources = made(tmp_path, a="1")
    for folder in (".venv", "node_modules", "lib/site-packages", "package"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.py").write_text("")
    paths = [str(path) for path in tmp_path.rglob("*")]
    (tmp_path / "package/x.py").write_text("text")
    assert [str(tmp_path / "package/x.py")] == sources.changed(paths)


def test_what_is_written_while_it_is_read_is_unsure(tmp_path):
    """Nobody knows whether the worker read a file before it was saved or after: it counts as changed."""
    began = time.time_ns()
    (tmp_path / "a.py").write_text("1")
    found = digests([], [str(tmp_path)], began)
    assert {str(tmp_path / "a.py"): UNSURE} == found
    assert [str(tmp_path / "a.py")] == Sources(found, [str(tmp_path)]).changed()


@pytest.mark.parametrize("moved", ["a.py", "."])
def test_what_is_moved_there_while_it_is_read_is_unsure(tmp_path, moved):
    """A file may be old, and its name new, for it was renamed, or a folder that it is in."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old/a.py").write_text("1")
    (tmp_path / "new").mkdir()
    began = (tmp_path / "old/a.py").stat().st_ctime_ns + 10**8
    while time.time_ns() <= began:
        time.sleep(0.01)
    if moved == ".":
        (tmp_path / "new").rmdir()
    (tmp_path / "old" / moved).rename(tmp_path / "new" / moved)
    assert {str(tmp_path / "new/a.py"): UNSURE} == digests([], [str(tmp_path / "new")], began)


def test_bytecode_of_changed_files_is_forgotten(tmp_path):
    """Python takes a file of the same size and second for the one it compiled."""
    import py_compile

    source = tmp_path / "a.py"
    source.write_text("A = 1")
    compiled = py_compile.compile(str(source))
    forget_bytecode([str(source), str(tmp_path / "never.py")])
    assert not Path(compiled).exists()


def test_the_end_of_a_process_is_explained():
    """Exit codes and signals are told by name, with what usually is behind them."""
    assert "ended with exit code 3: something called os._exit" == cause(3)
    assert "was ended by SIGKILL: somebody killed it, or the machine ran out of memory" == cause(-9)
    assert "was ended by SIGTERM" == cause(-15)
