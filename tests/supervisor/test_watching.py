"""What each watcher tells of files that are saved, as editors and version control do it."""

import os
import resource
import select
import sys
from pathlib import Path

import pytest

from cfworkflows_emulator.supervisor.watching import watch
from cfworkflows_emulator.supervisor.watching.process import WatcherProcess


def read(watcher):
    assert select.select([watcher], [], [], 30)[0], "nothing came"
    return watcher.read()


def told(watcher, *paths):
    """Read until all `paths` were told."""
    missing = {str(path) for path in paths}
    while missing:
        for batch in read(watcher):
            missing -= set(batch or ())


def ready(watcher):
    while None not in read(watcher):
        pass


def by_inotify(folders, monkeypatch):
    if sys.platform != "linux":
        pytest.skip("inotify is Linux's")
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "false")
    return watch(folders)


def by_a_process(folders, monkeypatch):
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "false")
    return WatcherProcess(folders)


def by_polling(folders, monkeypatch):
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "true")
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", "20")
    return watch(folders)


@pytest.fixture
def watching(monkeypatch):
    """Makes a watcher that watches already."""
    made = []

    def make(how, *folders):
        made.append(how([str(each) for each in folders], monkeypatch))
        if isinstance(made[0], WatcherProcess):
            ready(made[0])
        return made[0]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("how", [by_inotify, by_a_process])
def test_every_way_to_save_is_told(watching, tmp_path, how):
    """A new file, one that is written to, one that is replaced by another, and one that is removed."""
    watcher = watching(how, tmp_path)
    path = tmp_path / "a.py"
    path.write_text("1")
    told(watcher, path)
    with path.open("a") as file:
        file.write("2, and the file stays open")
        file.flush()
        told(watcher, path)
    new = tmp_path / "a.py.new"
    new.write_text("3")
    told(watcher, new)
    new.rename(path)
    told(watcher, path)
    path.unlink()
    told(watcher, path)


@pytest.mark.parametrize(("how", "is_process"), [(by_inotify, False), (by_a_process, True), (by_polling, True)])
def test_only_the_folders_themselves_are_watched(watching, tmp_path, how, is_process):
    """What is below them is not told, and a new folder is."""
    (tmp_path / "below").mkdir()
    (tmp_path / "other").mkdir()
    watcher = watching(how, tmp_path, tmp_path / "other")
    assert isinstance(watcher, WatcherProcess) == is_process
    (tmp_path / "below/a.py").write_text("1")
    (tmp_path / "other/b.py").write_text("1")
    (tmp_path / "new").mkdir()
    (tmp_path / "last.py").write_text("1")
    seen = set()
    wanted = {str(tmp_path / each) for each in ("other/b.py", "new", "last.py")}
    while not wanted <= seen:
        for batch in read(watcher):
            seen.update(batch)
    assert str(tmp_path / "below/a.py") not in seen


def test_the_end_of_the_process_is_told(watching, tmp_path):
    """The supervisor warns then."""
    watcher = watching(by_a_process, tmp_path)
    watcher._process.kill()
    assert read(watcher) is None


def test_changes_in_a_row_are_one_batch(watching, tmp_path):
    """As when a hundred files are checked out."""
    watcher = watching(by_inotify, tmp_path)
    paths = [tmp_path / f"{number:03}.py" for number in range(100)]
    for path in paths:
        path.write_text("text")
    assert [[str(path) for path in paths]] == watcher.read()


@pytest.mark.parametrize("leave", [lambda path: path.rmdir(), lambda path: path.rename(path.with_name("moved"))])
def test_a_folder_that_goes_is_told_and_left(watching, tmp_path, leave):
    """Its name is told, so that another one of that name can be watched."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    watcher = watching(by_inotify, tmp_path / "a", tmp_path / "b")
    leave(tmp_path / "a")
    told(watcher, tmp_path / "a")
    while str(tmp_path / "a") in watcher.folders:
        read(watcher)
    assert [str(tmp_path / "b")] == watcher.folders
    (tmp_path / "b/x.py").write_text("1")
    told(watcher, tmp_path / "b/x.py")


def test_two_paths_of_one_folder_are_both_told(watching, tmp_path):
    """The kernel watches a folder once, whatever links lead to it."""
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    watcher = watching(by_inotify, tmp_path / "a", tmp_path / "link")
    (tmp_path / "a/x.py").write_text("1")
    told(watcher, tmp_path / "a/x.py", tmp_path / "link/x.py")


def test_more_than_the_kernel_remembers_may_be_anything(watching, tmp_path):
    """Its queue is of a certain length; what comes after that is lost, and the supervisor looks at all files."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    watcher = watching(by_inotify, tmp_path)
    names = [str(tmp_path / str(number)) for number in range(2)]
    for number in range(limit + 2):  # in turns, for the kernel merges what is the same as the last
        os.close(os.open(names[number % 2], os.O_CREAT | os.O_WRONLY))
    ready(watcher)


def test_a_folder_that_cannot_be_watched_does_not_matter(watching, tmp_path):
    """It may have gone while the watcher was made; the others are watched."""
    watcher = watching(by_inotify, tmp_path / "gone", tmp_path)
    assert [str(tmp_path)] == watcher.folders
    (tmp_path / "x.py").write_text("1")
    told(watcher, tmp_path / "x.py")


def test_the_system_that_grants_no_more_is_an_error(watching, tmp_path):
    """The supervisor says what to do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            watching(by_inotify, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_nothing_stays_open_when_a_folder_is_refused(watching, tmp_path):
    """Here for its name; the kernel's limit of watches comes in the same way."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="File name too long"):
        watching(by_inotify, tmp_path, tmp_path / ("x" * 300))
    assert before == len(list(Path("/proc/self/fd").iterdir()))
