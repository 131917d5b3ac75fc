"""What is promised, checked against the database and the traces that callbacks left."""

import hashlib
import json
import sqlite3
from collections import defaultdict
from contextlib import closing

DIGEST = hashlib.sha256(b"0123456789abcdef" * 8192 * 5).hexdigest()
UNDONE_STEPS = ["undo third", "undo second", "undo first"]


class History:
    """All journals of a state folder that no server uses, and the effects that belong to them."""

    def __init__(self, database, effects):
        with closing(sqlite3.connect(database)) as connection:
            assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
            assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()
            instances = connection.execute("SELECT key, workflow || '/' || id, status FROM instances").fetchall()
            rows = connection.execute("SELECT * FROM journal ORDER BY instance, seq").fetchall()
            self.chunks = connection.execute("SELECT instance, step, attempt FROM stream_chunks").fetchall()
        self.status = {name: status for _, name, status in instances}
        self._keys = {name: key for key, name, _ in instances}
        self._entries = defaultdict(list)
        for key, seq, time, type_, step, data, value in rows:
            self._entries[key].append((seq, time, type_, step, json.loads(data), value and json.loads(value)))
        self._effects = defaultdict(list)
        for effect in effects:
            self._effects[effect["instance"]].append(effect)

    def entries(self, name):
        return self._entries[self._keys[name]]

    def check(self):
        """Check every instance there is. Nothing of an instance that was not created may have happened."""
        assert self._effects.keys() <= self.status.keys()
        for name in self.status:
            self._check_instance(name)

    def _check_instance(self, name):
        entries = self.entries(name)
        assert list(range(1, len(entries) + 1)) == [seq for seq, *_ in entries], name
        times = [time for _, time, *_ in entries]
        assert sorted(times) == times, f"{name}: the time went back"
        attempts, results, effects = defaultdict(list), defaultdict(list), defaultdict(list)
        for _, _, type_, step, data, value in entries:
            if type_ == "attempt_started":
                attempts[step].append(data["attempt"])
            elif type_ == "step_completed":
                results[step].append(value)
        for effect in self._effects[name]:
            if effect["attempt"] is not None:
                effects[effect["step"]].append(effect)
        for step, numbers in attempts.items():
            where = f"{name} {step}"
            assert list(range(1, len(numbers) + 1)) == numbers, f"{where}: an attempt was not counted"
            tried = [effect["attempt"] for effect in effects[step]]
            assert sorted(set(tried)) == tried, f"{where}: an attempt ran twice"
            assert set(tried) <= set(numbers), f"{where}: an attempt ran before it was durable"
            assert len(results[step]) <= 1, f"{where}: two results"
            if results[step] and isinstance(results[step][0], str):
                values = [effect["value"] for effect in effects[step]]
                assert [results[step][0]] == values[-1:], f"{where}: the result was computed again, or by nobody"
        assert effects.keys() <= attempts.keys(), f"{name}: a step ran that the journal does not know"

    def check_end(self, name):
        """Check that an instance that nobody interfered with ended as its code says."""
        entries, status = self.entries(name), self.status[name]
        last = {effect["step"]: effect["value"] for effect in self._effects[name]}
        if name.startswith("undone/"):
            assert "errored" == status, name
            undone = [each["step"] for each in self._effects[name] if each["step"].startswith("undo ")]
            assert UNDONE_STEPS == list(dict.fromkeys(undone)), name
            assert sorted(undone, key=UNDONE_STEPS.index) == undone, f"{name}: undone in another order"
            return
        assert "complete" == status, name
        output = next(value for *_, type_, _, _, value in entries if type_ == "workflow_completed")
        if name.startswith("waiter/"):
            return
        digest = output.pop("digest", None)
        assert digest in (None, DIGEST), f"{name}: another stream"
        expected = {step: value for step, value in last.items() if step != "hopeless-1"}
        if name.startswith("sleeper/"):
            assert [f"awake-{number}" for number in range(1, 5)] == sorted(expected), name
        assert expected == output, f"{name}: what it saw is not what was stored"

    def counts(self, type_, containing=""):
        """How many entries of a type each instance has that contain a text."""
        return {
            name: sum(each[2] == type_ and containing in json.dumps(each[4]) for each in self.entries(name))
            for name in self.status
        }

    def output(self, name):
        return next(value for *_, type_, _, _, value in self.entries(name) if type_ == "workflow_completed")
