"""`cfwf workflows` against a `cfwf dev` that runs in the same folder, or is named by its port."""

import asyncio
import json
import os
import signal
import subprocess
from urllib.parse import urlsplit

from devserver import CFWF, PRELUDE, clean_environment
from workflows_shop import CONFIG, WORKER, Shop


async def test_the_server_of_the_folder_is_found(shop, running):
    """From any folder below the configuration; --port finds it from everywhere."""
    async with running() as dev:
        expected = [{"name": "orders", "script_name": "shop", "class_name": "Orders"}]
        assert expected == shop.json("list")
        assert expected == shop.json("list", cwd=shop.folder / "src")
        port = str(urlsplit(dev.url).port)
        assert expected == shop.json("list", "--port", port, cwd="/")
        assert expected == shop.json("list", "--host", "127.0.0.1", "--port", port, "--local", cwd="/")
        assert "orders  shop         Orders\n" in shop.out("list")
        assert [] == shop.json("list", "--page", "2", "--per-page", "1")


async def test_the_servers_below_a_folder_without_a_project_are_found(tmp_path, running):
    """The only one is asked, and named on the standard error; of several one has to be chosen."""
    projects = {}
    for name in ("examples/one", "two"):
        (tmp_path / name / "src").mkdir(parents=True)
        projects[name] = Shop(tmp_path / name)
        (tmp_path / name / "wrangler.toml").write_text(f'name = "shop"\nmain = "src/entry.py"\n{CONFIG}')
        (tmp_path / name / "src/entry.py").write_text(PRELUDE + WORKER)
    root = Shop(tmp_path)
    assert "No configuration file was found" in root.run("list").stderr
    async with running(cwd=tmp_path / "examples/one") as one:
        done = root.run("list", "--json")
        assert (0, "orders") == (done.returncode, json.loads(done.stdout)[0]["name"])
        assert f"Asking the server of examples/one, {one.url}.\n" == done.stderr
        assert [] == projects["two"].json("instances", "list", "orders")  # a project of its own, which is not served
        async with running(cwd=tmp_path / "two") as two:
            text = root.run("list").stderr
            assert f"--port {urlsplit(one.url).port}  examples/one\n" in text
            assert f"--port {urlsplit(two.url).port}  two\n" in text


async def test_a_server_whose_worker_does_not_load_says_so(shop, starting):
    """The command fails with what is wrong, rather than with a guess about other servers."""
    (shop.folder / "src/entry.py").write_text("import nothing_of_this_name\n")
    async with starting("--port", "0") as dev:
        await dev.line("Waiting for a change")
        text = shop.run("list").stderr
    assert "does not load: ModuleNotFoundError: No module named 'nothing_of_this_name'" in text


async def test_a_server_for_the_network_is_found(shop, running):
    """The folder tells an address at which this machine reaches it."""
    async with running("--ip", "0.0.0.0"):
        assert "orders" == shop.json("list")[0]["name"]


async def test_an_instance_is_led_through_its_life(shop, running):
    """Triggered, described, skipped on, sent an event, and listed; `latest` stands for it."""
    async with running():
        assert {"id": "first"} == shop.json("trigger", "orders", '{"n": 1}', "--id", "first")
        timeline = shop.until_state("latest", "flaky-1", "retrying")
        assert ("first", {"n": 1}, {"source": "api"}) == (timeline["id"], timeline["params"], timeline["trigger"])
        assert 'retry delay "flaky-1" of the instance "first"' in shop.out("instances", "skip", "orders", "latest")
        shop.until_state("first", "nap-1", "sleeping")
        skipped = shop.json("instances", "skip", "orders", "first", "nap", "--type", "sleep")
        assert ("nap-1", "sleep") == (skipped["step"], skipped["type"])
        shop.until_state("first", "approval-1", "waiting")
        assert "\nfirst        ◷ waiting  20" in shop.out("instances", "list", "orders")
        sent = shop.out("instances", "send-event", "orders", "first", "--type", "approval", "--payload", '{"ok": 1}')
        assert (
            'The event with type "approval" and payload "{"ok": 1}" was sent to the instance "first" from orders\n'
            == sent
        )
        ended = shop.until("first", lambda timeline: timeline["status"] == "complete")
        assert {"got": {"ok": 1}} == ended["output"]
        assert 1 == shop.json("describe", "orders")["instances"]["complete"]
        assert "✓ complete  1\n" in shop.out("describe", "orders")


async def test_the_timeline_is_drawn(shop, running):
    """Steps with their source lines and attempts, errors as they are, what is waited for, and nothing sensitive."""
    async with running():
        shop.out("trigger", "orders", "--id", "first")
        shop.until_state("first", "flaky-1", "retrying")
        text = shop.out("instances", "describe", "orders", "first")
        assert text.startswith("orders/first  ◷ waiting\n  Queued  20")
        assert "complete after" in text
        assert '      → {"who": "Zoë", "amount": 12.5}\n' in text
        assert "flaky-1  next attempt 20" in text
        assert " (in 23 h 59 min)  src/entry.py:13\n" in text
        assert "failed after" in text
        assert "ValueError: no [bold]luck[/bold]  (src/entry.py:10), again after 1 d\n" in text
        assert "\x1b" not in text
        shop.out("instances", "skip", "orders", "first")
        shop.until_state("first", "nap-1", "sleeping")
        shop.out("instances", "skip", "orders", "first")
        shop.until_state("first", "approval-1", "waiting")
        shop.out("instances", "send-event", "orders", "first", "--type", "other")
        text = shop.out("instances", "describe", "orders", "first", "--truncate-output-limit", "10")
        assert '      → {"who": "Z… (30 characters)\n' in text
        assert '→ "[REDACTED… (12 characters)  (3,002 bytes)\n' in text
        assert "xxx" not in text
        assert ", skipped  src/entry.py:14\n" in text
        assert 'approval-1  waits for event "approval" until 20' in text
        assert "Events that no step has taken" in text
        assert "→" not in shop.out("instances", "describe", "orders", "first", "--no-step-output")
        shop.out("instances", "terminate", "orders", "first", "--rollback")
        shop.until("first", lambda timeline: timeline["status"] == "terminated")
        text = shop.out("instances", "describe", "orders", "first")
        assert "\nRollback  complete, because of Terminated: " in text


async def test_the_life_of_an_instance_is_changed(shop, running):
    """Pause, resume, restart from a step and from the start, terminate, delete."""

    def change(verb, *options):
        return shop.json("instances", verb, "orders", "first", *options)["status"]

    async with running():
        shop.out("trigger", "orders", "--id", "first")
        shop.until_state("first", "flaky-1", "retrying")
        assert "paused" == change("pause")
        assert "waiting" == change("resume")
        change("restart", "--from-step-name", "flaky", "--from-step-type", "do", "--from-step-count", "1")
        shop.until_state("first", "flaky-1", "retrying")
        change("restart")
        shop.until_state("first", "flaky-1", "retrying")
        assert "terminated" == change("terminate")
        assert "Cannot terminate instance" in shop.fails("instances", "terminate", "orders", "first")
        (shop.folder / "ids.json").write_text('["first"]')
        text = shop.out("instances", "delete", "orders", "--filename", "ids.json")
        assert 'Deleted workflow instances from "orders": "first"\n' == text
        assert "1 of 1 instances were not deleted:\n  - first: " in shop.fails("instances", "delete", "orders", "first")
        assert "No instances found.\n" == shop.out("instances", "list", "orders")


async def test_instances_are_listed_in_pages(shop, running):
    """Newest first, by status and by date; a page may be turned round."""

    def listed(*options):
        return [each["id"] for each in shop.json("instances", "list", "orders", *options)]

    async with running():
        for id in ("a", "b", "c"):
            shop.out("trigger", "orders", "--params", '{"n": 1}', "--id", id)
        assert ["c", "b", "a"] == listed()
        assert ["b", "c"] == listed("--per-page", "2", "--reverse")
        assert ["a"] == listed("--per-page", "2", "--page", "2")
        assert [] == listed("--status", "complete")
        assert [] == listed("--date-start", "2999-01-01")
        day = shop.timeline("a")["queued"][:10]
        assert {"a", "b", "c"} >= set(listed("--date-start", day, "--date-end", day)) > set()
        assert "Page 2 of 2, 3 instances." in shop.out("instances", "list", "orders", "--per-page", "2", "--page", "2")


async def test_watching_goes_on_through_a_reload(shop, running):
    """Each event once, to the last; also as lines of JSON."""
    async with running() as dev:
        shop.out("trigger", "orders", "--id", "first")
        shop.until_state("first", "flaky-1", "retrying")
        command = [CFWF, "workflows", "instances", "watch", "orders", "first", "--json"]
        options = {"cwd": shop.folder, "env": clean_environment(), "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **options) as watch:  # noqa: ASYNC220
            events = []
            while not events or events[-1]["type"] != "attempt_errored":
                events.append(json.loads(await asyncio.to_thread(watch.stdout.readline)))
            source = shop.folder / "src/entry.py"
            source.write_text(f"{source.read_text()}# changed\n")
            await dev.line("Reloaded in")
            shop.out("instances", "terminate", "orders", "first")
            events += [json.loads(line) for line in await asyncio.to_thread(watch.stdout.readlines)]
            assert 0 == watch.wait()
        assert "workflow_terminated" == events[-1]["type"]
        ids = [event["eventId"] for event in events]
        assert sorted(set(ids)) == ids
        lines = shop.out("instances", "watch", "orders").splitlines()
        assert len(events) == len(lines)
        assert lines[3].endswith("step_started                charge-1")
        assert lines[-1].endswith("workflow_terminated")


async def test_watching_stops_with_ctrl_c(shop, running):
    """Quietly, with 130; the instance goes on."""
    async with running():
        shop.out("trigger", "orders")
        command = [CFWF, "workflows", "instances", "watch", "orders"]
        options = {"cwd": shop.folder, "env": clean_environment(), "text": True, "stderr": subprocess.PIPE}
        options["stdout"] = subprocess.PIPE
        # What runs the tests in the background may have it ignored, and so would the command.
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        with subprocess.Popen(command, **options) as watch:  # noqa: ASYNC220
            assert "workflow_queued" in await asyncio.to_thread(watch.stdout.readline)
            watch.send_signal(signal.SIGINT)
            _, errors = await asyncio.to_thread(watch.communicate)
        assert (130, "") == (watch.returncode, errors)
        assert "waiting" == shop.until_state("latest", "flaky-1", "retrying")["status"]


async def test_a_killed_server_leaves_its_folder_to_the_commands(shop, running):
    """Its note is still there; nobody listens, and the lock is free."""
    async with running() as dev:
        shop.out("trigger", "orders", "--id", "first")
        os.kill(dev.process.pid, signal.SIGKILL)
        await dev.ended()
        assert (shop.folder / ".cfwf/state/holder.json").exists()
        assert ["first"] == [each["id"] for each in shop.json("instances", "list", "orders")]
        assert "paused" == shop.json("instances", "pause", "orders", "first")["status"]


async def test_a_note_of_another_server_is_not_believed(shop, running):
    """Whatever address the file names, params go to the server that uses the folder, or nowhere."""
    seen = []

    async def answers(reader, writer):
        if head := await reader.read(4096):  # none is sent by who only looks whether somebody listens
            seen.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        writer.close()

    other = await asyncio.start_server(answers, "127.0.0.1", 0)
    note = shop.folder / ".cfwf/state/holder.json"
    async with other, running():
        true = json.loads(note.read_text())
        address = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        note.write_text(json.dumps({**true, "address": address}))
        text = await asyncio.to_thread(shop.fails, "trigger", "orders", '{"token": "hidden"}')
        assert f"{address}, and what answers there does not use this state folder. Nothing was sent" in text
        assert 1 == len(seen)
        assert b"GET /cdn-cgi/local/explorer/api/local/state/" == seen[0][:44]
        assert true["secret"].encode() not in seen[0]
        note.write_text(json.dumps({**true, "address": "http://192.0.2.1:80"}))
        assert "is in use by another process" in await asyncio.to_thread(shop.fails, "trigger", "orders", "{}")
        note.write_text(json.dumps(true))
        await asyncio.to_thread(shop.out, "trigger", "orders", "--id", "mine")
    note.write_text(json.dumps({**true, "pid": os.getpid(), "address": address}))
    async with await asyncio.start_server(answers, "127.0.0.1", int(address.rpartition(":")[2])):
        assert ["mine"] == [each["id"] for each in await asyncio.to_thread(shop.json, "instances", "list", "orders")]


async def test_errors_are_told_in_a_line(shop, running):
    """What the API refuses, what is not there, and servers that are not ours."""
    async with running():
        assert "error: Workflow 'nope' not found.\n" == shop.fails("describe", "nope")
        assert "error: Workflow instance 'x' not found.\n" == shop.fails("instances", "describe", "orders", "x")
        assert "so there is no latest one" in shop.fails("instances", "describe", "orders")
        assert 'instance parameters: "{a" is not JSON' in shop.fails("trigger", "orders", "{a")
        send = ("instances", "send-event", "orders", "x")
        assert 'event payload: "{a" is not JSON' in shop.fails(*send, "--type", "a", "--payload", "{a")
        assert "Could not connect to http://localhost:1: " in shop.fails("list", "--port", "1")
    server = await asyncio.start_server(_answers_something, "127.0.0.1", 0)
    async with server:
        port = str(server.sockets[0].getsockname()[1])
        text = await asyncio.to_thread(shop.fails, "list", "--port", port, "--host", "127.0.0.1")
        assert "answered 200, and not as `cfwf dev` does. Is that another server?" in text


async def _answers_something(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
    await writer.drain()
    writer.close()


async def test_a_fork_goes_on_beside_the_original(shop, running):
    """With another output of its step; the commands of a server and of a folder are the same."""
    async with running():
        shop.out("trigger", "orders", "--id", "first")
        forked = shop.json(
            "instances", "fork", "orders", "first", "--from", "charge", "--output", "7", "--id", "second"
        )
        assert {"id": "second"} == forked
        assert 7 == shop.json("instances", "describe", "orders", "second")["steps"][0]["output"]
        assert 12.5 == shop.json("instances", "describe", "orders", "first")["steps"][0]["output"]["amount"]
    assert "third" == shop.json("instances", "fork", "orders", "latest", "--from", "charge", "--id", "third")["id"]
    refused = shop.run("instances", "fork", "orders", "first", "--from", "nope")
    assert (1, True) == (refused.returncode, 'Step "nope" not found' in refused.stderr)
