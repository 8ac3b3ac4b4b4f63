"""Retention, erasure, backup and verification, from the command line on a real store."""

from __future__ import annotations

import io
import json
import random
import shutil
import sqlite3
import threading

import pytest

from bot.cli.main import main
from storage import records
from storage.core import ledger
from storage.core.engine import sqlite_url
from storage.core.faults import StorageRefused
from storage.core.sealing import Keyring, key_from_file
from storage.core.unit import Unit
from storage.opening import open_store
from storage.operations import backup, erasure, heads, integrity
from tests.support.counts import COUNTS
from tests.support.log import logged

WALK = """/share
No, none of these
My own wish to share
No
Do not share
canary-{n} in the reasons
CANARY-{n}
Save the record
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A local store with three records, to copy from."""
    folder = tmp_path_factory.mktemp("stored") / "data"
    lines = "".join(WALK.format(n=n) for n in range(3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(lines))
        assert main(["chat", "--data", str(folder)]) == 0
    return folder


@pytest.fixture
def data(tmp_path, stored, capfd):
    """A local store with three records."""
    capfd.readouterr()
    return shutil.copytree(stored, tmp_path / "data")


def listed(capfd, data):
    capfd.readouterr()
    assert main(["records", "--data", str(data), "--json"]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def opened(data):
    return open_store(sqlite_url(data / "sharewise.db"), Keyring(key_from_file(data / "master.key")))


def wrapped_keys(data, reference):
    """Return the wrapped keys of a record and its conversation from the file."""
    with sqlite3.connect(data / "sharewise.db") as database:
        query = (
            "select r.wrapped_key, c.wrapped_key from decision_record r join conversation c on c.id = r.conversation_id"
        )
        return database.execute(f"{query} where r.reference = ?", (reference,)).fetchone()


def test_erasing_destroys_what_was_said_and_the_ledger_still_verifies(data, capfd):
    found = listed(capfd, data)
    gone, held = found[0]["reference"], found[1]["reference"]
    assert main(["retention", "hold", held, "--reason", "a complaint is open", "--data", str(data)]) == 0
    assert main(["retention", "erase", held, "--data", str(data)]) == 1
    assert "on hold" in capfd.readouterr().err
    keys = wrapped_keys(data, gone)
    assert main(["retention", "erase", gone, "--data", str(data)]) == 0
    assert main(["retention", "erase", gone, "--data", str(data)]) == 1, "once"
    files = b"".join(path.read_bytes() for path in data.iterdir() if path.is_file())
    assert len(keys) == 2, "its keys are nowhere in the files, the log too"
    assert not any(key in files for key in keys), "its keys are nowhere in the files, the log too"
    assert [record["reference"] for record in listed(capfd, data)] == [record["reference"] for record in found[1:]]
    assert main(["verify", "--data", str(data)]) == 0
    store = opened(data)
    with store.unit() as unit:
        row = unit.connection.exec_driver_sql(
            "select wrapped_key, case_hash from decision_record where reference = ?", (gone,)
        )
        assert tuple(row.one()) == (b"", None)
        without = unit.connection.exec_driver_sql("select count(*) from conversation where wrapped_key = x''").scalar()
        assert without == 1
        assert records.find(unit, gone) is None
    store.close()
    assert main(["retention", "release", held, "--data", str(data)]) == 0
    assert main(["retention", "erase", held, "--data", str(data)]) == 0


def test_a_key_taken_away_behind_the_ledger_is_found(data, capfd):
    store = opened(data)
    with store.unit() as unit:
        unit.connection.exec_driver_sql("update decision_record set wrapped_key = x'', case_hash = null")
    store.close()
    assert main(["verify", "--data", str(data)]) == 1
    assert "does not say that it was erased" in capfd.readouterr().out


def test_what_is_due_follows_the_rules_that_were_set(data, capfd):
    for wrong in (
        ["not_shared"],
        ["not_shared", "--days", "0"],
        ["nonsense", "--days", "1"],
        ["unfinished", "--review-days", "9"],
    ):
        assert main(["retention", "set", *wrong, "--data", str(data)]) == 1
    assert main(["retention", "set", "not_shared", "--days", "30", "--data", str(data)]) == 0
    capfd.readouterr()
    assert main(["retention", "due", "--data", str(data), "--json"]) == 0
    assert capfd.readouterr().out == ""
    from storage import retention

    store = opened(data)
    with store.unit() as unit:
        due = retention.due(unit, "2999-01-01T00:00:00.000000Z")
        assert [one.what for one in due] == ["erase"] * 3
        retention.put(unit, "not_shared", None, 365, "2026-01-01", "test")
        assert {one.what for one in retention.due(unit, "2999-01-01T00:00:00.000000Z")} == {"look again"}
    store.close()


def test_unfinished_questions_end_when_their_time_is_up(data):
    from storage import conversations, retention

    store = opened(data)
    with store.unit() as unit:
        row = conversations.start(
            unit,
            conversations.Begun(900, 1, "hmg-2015", "0" * 64, "sharing"),
            {"said": "x"},
            "2020-01-01T00:00:00.000000Z",
        )
        assert erasure.expire_unfinished(unit, "2026-01-01T00:00:00.000000Z") == [], "nothing is set"
        retention.put(unit, "unfinished", 30, None, "2026-01-01", "test")
        assert erasure.expire_unfinished(unit, "2026-01-01T00:00:00.000000Z") == [900]
        assert conversations.get(unit, row.id) is None
        assert conversations.get_open(unit, 900) is None
    store.close()


def test_a_backup_restores_erases_again_and_holds_messages_back(data, tmp_path, capfd):
    found = listed(capfd, data)
    target = tmp_path / "backup.bin"
    assert main(["backup", str(target), "--data", str(data)]) == 0
    content = target.read_bytes()
    assert b"SQLite" not in content
    assert b"canary" not in content
    assert main(["retention", "erase", found[0]["reference"], "--data", str(data)]) == 0
    into = tmp_path / "restored"
    into.mkdir(mode=0o700)
    shutil.copy(data / "master.key", into / "master.key")
    (into / "master.key").chmod(0o600)
    call = ["restore", str(target), "--into", str(into), "--erased", str(data / "erased.jsonl")]
    assert main(call) == 0
    assert "Erased again: 1" in capfd.readouterr().out
    assert len(listed(capfd, into)) == 2
    assert main(["verify", "--data", str(into)]) == 0
    assert main(call) == 1, "never over a store that is there"


def test_an_erasure_killed_before_its_commit_is_not_on_the_list_for_long(data, capfd, monkeypatch):
    first, second, _ = listed(capfd, data)
    real = ledger.write

    def killed(unit):
        if any(entry["action"] == "record.erased" for entry in unit.entries):
            raise KeyboardInterrupt
        real(unit)

    with monkeypatch.context() as killing:
        killing.setattr(ledger, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            main(["retention", "erase", first["reference"], "--data", str(data)])
    assert erasure.read(data / "erased.jsonl") == [first["id"]], "noted before the commit"
    assert len(listed(capfd, data)) == 3, "and not erased"
    assert main(["retention", "erase", second["reference"], "--data", str(data)]) == 0
    assert erasure.read(data / "erased.jsonl") == [second["id"]]


def test_a_lost_list_of_erasures_is_written_again_from_the_store(data, capfd):
    first, second, _ = listed(capfd, data)
    assert main(["retention", "erase", first["reference"], "--data", str(data)]) == 0
    (data / "erased.jsonl").unlink()
    assert main(["retention", "erase", second["reference"], "--data", str(data)]) == 0
    assert sorted(erasure.read(data / "erased.jsonl")) == sorted([first["id"], second["id"]])


def test_a_backup_that_was_changed_cut_or_sealed_by_another_key_is_refused(data, tmp_path):
    target, keys = tmp_path / "b", Keyring(key_from_file(data / "master.key"))
    backup.make(data / "sharewise.db", target, keys)
    good, rng = target.read_bytes(), random.Random(3)
    for trial in range(60):
        at = rng.randrange(len(good))
        broken = good[:at] if trial % 2 else good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        target.write_bytes(broken)
        into = tmp_path / f"r{trial}" / "sharewise.db"
        into.parent.mkdir()
        with pytest.raises(backup.BadBackup):
            backup.restore(target, into, keys)
        assert list(into.parent.iterdir()) == []
        COUNTS["broken backups refused"] += 1
    target.write_bytes(good)
    with pytest.raises(backup.BadBackup):
        backup.restore(target, tmp_path / "other.db", Keyring(bytes(32)))


def test_backups_while_others_write_restore_whole(data, tmp_path):
    """20 backups, each taken while a writer is busy: all restore and verify."""
    stop, keys = threading.Event(), Keyring(key_from_file(data / "master.key"))

    def write():
        from storage import members

        store = opened(data)
        number = 0
        while not stop.is_set():
            with store.unit() as unit:
                members.save(unit, 5000 + number % 50, "practitioner", "x", "2026-01-01T00:00:00.000000Z", "test")
            number += 1
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(20):
            target, into = tmp_path / f"b{number}", tmp_path / f"r{number}.db"
            backup.make(data / "sharewise.db", target, keys)
            backup.restore(target, into, keys)
            assert sqlite3.connect(into).execute("pragma integrity_check").fetchone() == ("ok",)
            restored = open_store(sqlite_url(into), keys)
            with restored.unit() as unit:
                assert integrity.verify(unit).broken is None
            restored.close()
            COUNTS["backups under load, restored and verified"] += 1
    finally:
        stop.set()
        writer.join(30)


def test_a_ledger_that_was_cut_or_rewritten_is_found_by_the_head_kept_outside(data, capfd):
    assert main(["local", "set", "partnership", "North", "--data", str(data)]) == 0
    capfd.readouterr()
    assert main(["verify", "--data", str(data), "--json"]) == 0
    head = json.loads(capfd.readouterr().out)["head"]
    assert main(["verify", "--data", str(data), "--head", head]) == 0
    assert main(["verify", "--data", str(data), "--head", "x"]) == 2
    database = sqlite3.connect(data / "sharewise.db")
    database.execute("drop trigger ledger_no_delete")
    (last,) = database.execute("select max(seq) from ledger").fetchone()
    database.execute("delete from ledger where seq = ?", (last,))
    database.commit()
    database.close()
    assert main(["verify", "--data", str(data)]) == 0, "without the head kept outside a cut end is not seen"
    capfd.readouterr()
    assert main(["verify", "--data", str(data), "--head", head]) == 1
    assert "cut or rewritten" in capfd.readouterr().out


# ---- another master key -------------------------------------------------------------------------
def test_a_new_master_key_while_killed_again_and_again(data, tmp_path, capfd, monkeypatch):
    """Every step is interrupted once. In between everything is readable; at the end the old key decrypts nothing."""
    from storage import outbox, questions, reviews
    from storage.core.sealing import SealBroken
    from storage.operations import rotation

    old, new = key_from_file(data / "master.key"), bytes(range(32))
    both = Keyring(new, old)
    before = [record["content"] for record in listed(capfd, data)]
    store = open_store(sqlite_url(data / "sharewise.db"), both)
    with store.unit() as unit:
        from flows.screening import screened

        questions.count_unanswered(
            unit, questions.Where("hmg-2015", "north"), "x", screened("what about the moon"), "2026-01-01"
        )
        outbox.enqueue(unit, 1, "message", {"text": "x"})
    monkeypatch.setattr(rotation, "STEP", 1)
    real, fuse = rotation.rewrap_keys, [0]

    def killed(unit, wrapped):
        changed = real(unit, wrapped)
        fuse[0] -= 1
        if fuse[0] == 0:
            raise KeyboardInterrupt
        return changed

    monkeypatch.setattr(rotation, "rewrap_keys", killed)
    for stop in range(1, 12):
        fuse[0] = stop
        try:
            rotation.rotate(store, "2026-01-01", lambda *_: None)
        except KeyboardInterrupt:
            COUNTS["rotations stopped in the middle, everything readable"] += 1
        with store.unit() as unit:
            assert [stored.content for stored in records.listed(unit)] == before
            assert integrity.verify(unit).broken is None
            by_case = reviews.queue(unit, "local", 0, reviews.Wanted(case="canary-1"))
            assert len(by_case) == 1, "a case is found under either key"
    fuse[0] = 0
    rotation.rotate(store, "2026-01-01", lambda *_: None)
    store.close()
    with pytest.raises(StorageRefused, match="another master key"):
        open_store(sqlite_url(data / "sharewise.db"), Keyring(old))
    store = open_store(sqlite_url(data / "sharewise.db"), Keyring(new))
    with store.unit() as unit:
        assert [stored.content for stored in records.listed(unit)] == before
        assert integrity.verify(unit).broken is None
        assert questions.listed(unit)[0].question == "what about the moon"
        with pytest.raises(SealBroken):
            list(records.listed(Unit(unit.connection, Keyring(old))))
    store.close()


def test_rotate_on_the_command_line(data, tmp_path, capfd, monkeypatch):
    new = tmp_path / "new.key"
    new.write_text("ab" * 32)
    new.chmod(0o600)
    monkeypatch.setenv("SHAREWISE_DATA_DIR", str(data))
    monkeypatch.setenv("SHAREWISE_MASTER_KEY_FILE", str(new))
    assert main(["rotate"]) == 2
    monkeypatch.setenv("SHAREWISE_OLD_MASTER_KEY_FILE", str(data / "master.key"))
    assert main(["rotate"]) == 0
    assert "keys were wrapped anew" in capfd.readouterr().out
    monkeypatch.delenv("SHAREWISE_OLD_MASTER_KEY_FILE")
    assert main(["records"]) == 0
    assert "3 records" in capfd.readouterr().out
    assert main(["verify"]) == 0


def test_signed_heads_kept_outside_find_a_ledger_that_was_rewritten(data, tmp_path, capfd):
    file = tmp_path / "heads"

    def line():
        capfd.readouterr()
        assert main(["head", "--data", str(data)]) == 0
        return capfd.readouterr().out.strip()

    first = line()
    assert main(["local", "set", "partnership", "North", "--data", str(data)]) == 0
    second = line()
    verify = ["verify", "--data", str(data), "--heads", str(file)]
    assert main(verify) == 2, "there is no such file"
    file.write_text(f"{first}\n{second}\n")
    assert main(verify) == 0
    said = json.loads(second)
    for broken, code in (
        ({**said, "head": f"1:{'0' * 64}"}, 1), ({**said, "at": "2020"}, 1), ({**said, "signature": "00"}, 1), ({"at": 1}, 2),
        ({**said, "key": "zz"}, 2),
    ):  # fmt: skip
        file.write_text(f"{first}\n{json.dumps(broken)}\n")
        assert main(verify) == code, broken
    file.write_text("no json\n")
    assert main(verify) == 2
    store = open_store(sqlite_url(data / "sharewise.db"), Keyring(key_from_file(data / "master.key")))
    with store.unit() as unit:
        file.write_text(heads.signed(Unit(unit.connection, Keyring(bytes(32))), "2026-01-01") + "\n")
    store.close()
    assert main(verify) == 1, "somebody else's key"
    assert main([*verify, "--key", json.loads(file.read_text())["key"]]) == 0, (
        "a key that is known: from before a rotation"
    )
    file.write_text(f"{first}\n{second}\n")
    database = sqlite3.connect(data / "sharewise.db")
    database.execute("drop trigger ledger_no_delete")
    database.execute("delete from ledger where seq = (select max(seq) from ledger)")
    database.commit()
    database.close()
    capfd.readouterr()
    assert main(verify) == 1
    assert "cut or rewritten" in capfd.readouterr().out


def test_the_head_is_written_once_a_day(data, tmp_path):
    store, file = opened(data), tmp_path / "heads"
    with store.unit() as unit:
        made = [heads.write_daily(unit, file, f"2026-01-0{day}T0{hour}:00") for day in (1, 2) for hour in (1, 2)]
        assert made == [True, False, True, False]
        assert heads.check(unit, file.read_text().splitlines(), frozenset()) == (2, None)
    store.close()


# ---- logs ---------------------------------------------------------------------------------------
def test_logs_are_lines_of_json_without_what_was_written_and_without_the_token():
    import logging

    with logged(logging.INFO, "json") as stream:
        logging.getLogger("sharewise.x").warning("at %s", "https://api.example.org/bot1:AbC-dEf/sendMessage")
        logging.getLogger("telegram").warning("a canary in a library's words")
        try:
            raise ValueError("a canary in an error's words")
        except ValueError:
            logging.getLogger("sharewise").exception("It failed.")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["WARNING", "WARNING", "ERROR"]
    assert set(lines[0]) == {"at", "level", "process", "logger", "message"}
    assert "canary" not in stream.getvalue()
    assert "AbC-dEf" not in stream.getvalue()


def test_trouble_that_is_met_again_and_again_is_one_line_and_says_how_often(monkeypatch):
    import logging

    now = [100.0]
    monkeypatch.setattr("bot.composition.logs.time.monotonic", lambda: now[0])
    with logged(logging.WARNING, "json") as stream:
        for _ in range(500):
            logging.getLogger("sharewise.sender").warning("Sending failed (%s). Trying again.", "NetworkError")
            now[0] += 0.001
        logging.getLogger("sharewise.sender").warning("Sending failed (%s). Trying again.", "TimedOut")
        now[0] += 10
        logging.getLogger("sharewise.sender").warning("Sending failed (%s). Trying again.", "NetworkError")
    said = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert said == [
        "Sending failed (NetworkError). Trying again.",
        "Sending failed (TimedOut). Trying again.",
        "Sending failed (NetworkError). Trying again. (499 times more since it was last said)",
    ]
