"""The commands as a person or a script runs them: real processes, real files, meaningful exit codes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.composition.settings import misspelt

#: Every command runs in its own process.
pytestmark = pytest.mark.slow

SHARE = "2\n4\n1\n1\n1\n1\nShare\n1\n1\n2\nThe child said so.\nCASE-77\nSave the record\n"


def sharewise(*arguments, stdin="", env=None):
    """Run a command as somebody who has set nothing but `env`. A local chat's own folder is under the tests' folder."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SHAREWISE_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments], input=stdin, capture_output=True, text=True, timeout=120,
        env={**clean, **(env or {})}, check=False,
    )  # fmt: skip


@pytest.fixture
def finished(tmp_path):
    """A data folder with one record, made through the chat by piped lines."""
    done = sharewise("chat", "--data", str(tmp_path), stdin=SHARE)
    assert done.returncode == 0, done.stderr
    assert "Saved. To copy:" in done.stdout
    assert "Record: SW-" in done.stdout
    return tmp_path


def test_a_piped_chat_ends_in_a_record_that_is_found_afterwards(finished):
    (line,) = sharewise("records", "--data", str(finished), "--json").stdout.splitlines()
    record = json.loads(line)
    assert (record["outcome"], record["decision"], record["content"]["case_reference"]) == ("share", "share", "CASE-77")
    table = sharewise("records", "--data", str(finished)).stdout
    assert record["reference"] in table
    assert "1 record\n" in table


def test_the_first_question_is_there_without_typing_anything(tmp_path):
    done = sharewise("chat", "--data", str(tmp_path))
    assert done.returncode == 0
    assert "I am worried about a child" in done.stdout
    assert "key file:" in done.stdout


def test_a_killed_chat_resumes_at_the_same_question(tmp_path):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SHAREWISE_")}
    child = subprocess.Popen(
        [sys.executable, "-m", "bot", "chat", "--data", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env=clean,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("2\n4\n")
    child.stdin.flush()
    for line in child.stdout:
        if "Is there a clear and legitimate purpose" in line:
            break
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdin.close()
    child.stdout.close()
    again = sharewise("chat", "--data", str(tmp_path)).stdout
    assert "You were here. Go on when you like." in again
    assert "Is there a clear and legitimate purpose" in again


def test_verify_finds_a_changed_record_and_names_it(finished):
    assert sharewise("verify", "--data", str(finished)).returncode == 0
    database = sqlite3.connect(finished / "sharewise.db")
    database.execute("drop trigger decision_record_no_update")
    database.execute("update decision_record set outcome = 'do_not_share'")
    database.commit()
    database.close()
    done = sharewise("verify", "--data", str(finished), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["broken"]["where"].startswith("SW-")


def test_walk_prints_what_other_tools_read():
    done = sharewise("walk", "--flow", "sharing", "emergency=no", "harm=yes", "purpose=no", "--json")
    said = json.loads(done.stdout)
    assert said["outcome"] == "follow_procedures"
    assert said["path"] == ["emergency.no", "harm.yes", "purpose.no"]
    assert "harm-procedures" in said["passages"]
    assert set(said["duties"]) == {"follow_procedures", "seek_advice", "record_decision"}
    piped = sharewise(
        "walk", "--json", stdin='{"flow": "sharing", "answers": [["purpose","yes"], ["back",""], ["purpose","no"]]}'
    )
    assert json.loads(piped.stdout)["outcome"] == "do_not_share"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("walk", "--flow", "sharing", "consent=yes"), "out of turn"),
        (("walk", "--flow", "sharing", "colour=red"), "is no question"),
        (("walk", "--flow", "nonsense", "a=b"), "There is no flow"),
        (("walk", "--flow", "sharing", "purpose"), "write question=option"),
        (("walk", "--edition", "hmg-1066", "--flow", "sharing", "purpose=no"), "There is no edition"),
        (("chart", "-o", "x.gif"), "must end in"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_ends_with_2(arguments, said):
    done = sharewise(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_charts_are_drawn_with_the_walked_way_lit(tmp_path):
    for name in ("plain.svg", "lit.svg", "lit.png", "flow.mmd"):
        path = ["--path", "purpose=yes", "identifiable=no"] if name.startswith("lit") else []
        assert sharewise("chart", "--flow", "sharing", *path, "-o", str(tmp_path / name)).returncode == 0
    plain, lit = ((tmp_path / name).read_text(encoding="utf-8") for name in ("plain.svg", "lit.svg"))
    assert 'stroke-width="8"' in lit
    assert 'stroke-width="8"' not in plain
    assert "<desc>Path: emergency: no, harm: no, initiative: asked, purpose: yes, identifiable: no</desc>" in lit
    assert (tmp_path / "lit.png").read_bytes().startswith(b"\x89PNG")
    assert "purpose --> identifiable: yes" in (tmp_path / "flow.mmd").read_text(encoding="utf-8")


def test_all_missing_and_wrong_settings_are_named_at_once(tmp_path):
    env = {"SHAREWISE_API_BASE_URL": "ftp://x", "SHAREWISE_CASE_REFERENCE_PATTERN": "(", "HOME": str(tmp_path)}
    done = sharewise("serve", env=env)
    assert done.returncode == 2
    for name in (
        "SHAREWISE_TOKEN",
        "SHAREWISE_EDITION",
        "SHAREWISE_MASTER_KEY",
        "SHAREWISE_API_BASE_URL",
        "SHAREWISE_CASE_REFERENCE_PATTERN",
    ):
        assert name in done.stderr


def test_every_setting_is_in_the_example():
    from pathlib import Path

    from bot.composition.settings import Settings

    example = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"SHAREWISE_{name.upper()}=" in example


def test_a_wrong_key_opens_nothing(finished):
    env = {"SHAREWISE_DATA_DIR": str(finished), "SHAREWISE_MASTER_KEY": "cd" * 32}
    done = sharewise("records", env=env)
    assert done.returncode == 1
    assert "another master key" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_master_keys_at_once_or_the_same_as_old_and_new_are_refused(finished):
    key = (finished / "master.key").rename(finished / "key")
    env = {"SHAREWISE_DATA_DIR": str(finished), "SHAREWISE_MASTER_KEY_FILE": str(key)}
    both = sharewise("records", env={**env, "SHAREWISE_MASTER_KEY": "cd" * 32})
    assert both.returncode == 2
    assert "Both are set" in both.stderr
    same = sharewise("rotate", env={**env, "SHAREWISE_OLD_MASTER_KEY_FILE": str(key)})
    assert same.returncode == 2
    assert "the same key" in same.stderr


def test_a_list_of_erasures_that_is_not_there_leaves_nothing_half_restored(finished, tmp_path):
    backup, into = tmp_path / "x.backup", tmp_path / "back"
    env = {"SHAREWISE_DATA_DIR": str(finished), "SHAREWISE_MASTER_KEY_FILE": str(finished / "master.key")}
    assert sharewise("backup", str(backup), env=env).returncode == 0
    done = sharewise("restore", str(backup), "--into", str(into), "--erased", str(tmp_path / "none.jsonl"), env=env)
    assert done.returncode == 1
    assert "leave out --erased" in done.stderr
    assert not into.exists()
    assert sharewise("restore", str(backup), "--into", str(into), env=env).returncode == 0


@pytest.mark.parametrize(
    ("database", "code", "said"),
    [
        ("mysql://a:secret@127.0.0.1/x", 2, "must be postgresql://"),
        ("postgresql://a:secret@127.0.0.1:99999/x", 1, "cannot be used just now"),
        ("postgresql://a:secret@127.0.0.1:9/x", 1, "nothing listens at its address"),
        ("postgres://a:secret@no-such-host.invalid/x", 1, "its host name is not known"),
    ],
)
def test_an_address_that_leads_to_no_database_is_told_without_its_password(database, code, said):
    done = sharewise("records", env={"SHAREWISE_DATABASE_URL": database, "SHAREWISE_MASTER_KEY": "cd" * 32})
    assert done.returncode == code
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def home_with_chat(finished):
    """The environment of somebody whose own data folder holds a local chat with one record."""
    home = finished / "home"
    (home / "sharewise").mkdir(parents=True)
    for name in ("sharewise.db", "master.key"):
        (finished / name).rename(home / "sharewise" / name)
    return {"XDG_DATA_HOME": str(home)}


def test_a_local_chat_is_found_where_no_store_is_set(home_with_chat):
    assert "1 record\n" in sharewise("records", env=home_with_chat).stdout
    assert "1 record\n" in sharewise("records", env={**home_with_chat, "SHAREWISE_EDITION": "hmg-2015"}).stdout


MYSQL = ("DATABASE_URL", "mysql://a:secret@127.0.0.1/x")


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        ("records", "MASTER_KEY", "secret"),
        ("records", "MASTER_KEY_FILE", "/no/such/key"),
        ("records", "SENDS_PER_SECOND", "secret"),
        ("records", "CASE_REFERENCE_PATTERN", "(secret"),
        ("screen", "CASE_REFERENCE_PATTERN", "(secret"),
        ("console --data .", "CONSOLE_URL", "ftp://secret"),
        *(
            (command, *MYSQL)
            for command in (
                "records", "verify", "head", "unanswered", "retention due", "retention erase SW-1", "team list",
                "local list", "member list", "parked list", "backup x", "console", "rotate", "pause --end", "serve",
            )
        ),
    ],
)  # fmt: skip
def test_a_bad_setting_never_leads_to_the_local_chats_store(home_with_chat, command, variable, value):
    done = sharewise(*command.split(), env={**home_with_chat, f"SHAREWISE_{variable}": value})
    assert (done.returncode, done.stdout) == (2, "")
    assert "these settings are missing or wrong" in done.stderr
    assert f"SHAREWISE_{variable}" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DATABASE_URL", "postgresql://a:secret@127.0.0.1/x"), ("OLD_MASTER_KEY_FILE", "/no/such/key")],
)
def test_a_store_without_its_key_never_leads_to_the_local_chats_store(home_with_chat, variable, value):
    done = sharewise("records", env={**home_with_chat, f"SHAREWISE_{variable}": value})
    assert (done.returncode, done.stdout) == (2, "")
    assert "Neither SHAREWISE_MASTER_KEY nor SHAREWISE_MASTER_KEY_FILE is set." in done.stderr
    assert "secret" not in done.stderr


def test_a_setting_that_is_misspelt_is_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SHAREWISE_WEBHOOK_SECRETS=x\nSHAREWISE_EDITION=hmg-2015\n")
    monkeypatch.setenv("SHAREWISE_SENDS_PER_SEC", "5")
    monkeypatch.setenv("SHAREWISE_PORT_8086_TCP", "tcp://10.0.0.1:8086")  # as some schedulers set it
    monkeypatch.setenv("SHAREWISE_CONSOLE_PORT", "tcp://10.0.0.1:8085")
    monkeypatch.setenv("SHAREWISE_OLD_MASTER_KEY", "x")
    assert misspelt() == [
        ("SHAREWISE_OLD_MASTER_KEY", ["SHAREWISE_MASTER_KEY", "SHAREWISE_OLD_MASTER_KEY_FILE"]),
        ("SHAREWISE_SENDS_PER_SEC", ["SHAREWISE_SENDS_PER_SECOND"]),
        ("SHAREWISE_WEBHOOK_SECRETS", ["SHAREWISE_WEBHOOK_SECRET"]),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--workers", "x"), "must be 1 to 100"),
        (("webhook", "set", "https://"), "must be https://HOST"),
        (("webhook", "set", "http://example.org"), "must be https://HOST"),
    ],
)
def test_what_is_wrong_in_a_call_is_told(arguments, said):
    env = {"SHAREWISE_TOKEN": f"1:{'x' * 30}", "SHAREWISE_EDITION": "hmg-2015", "SHAREWISE_MASTER_KEY": "cd" * 32}
    done = sharewise(*arguments, env={**env, "SHAREWISE_WEBHOOK_SECRET": "s" * 40})
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("listen", "code", "said"),
    [("foo", 2, "write HOST:PORT"), ("127.0.0.1:99999", 2, "write HOST:PORT"), ("203.0.113.1:8086", 1, "(")],
)
def test_an_address_that_cannot_be_listened_on_is_told_with_the_reason(tmp_path, listen, code, said):
    env = {
        "SHAREWISE_DATA_DIR": str(tmp_path), "SHAREWISE_MASTER_KEY": "cd" * 32, "SHAREWISE_EDITION": "hmg-2015",
        "SHAREWISE_TOKEN": f"1:{'x' * 30}", "SHAREWISE_WEBHOOK_SECRET": "s" * 40,
    }  # fmt: skip
    done = sharewise("serve", "--webhook", "--listen", listen, env=env)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_start_of_a_command_is_not_slowed_by_what_it_does_not_need():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot", "walk", "--flow", "sharing", "purpose=no"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "telegram.ext" not in done.stderr


def test_ask_prints_what_scripts_read():
    done = sharewise("ask", "do i always need consent", "--json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert set(said) == {"band", "passages", "emergency", "card", "answer"}
    assert (said["card"], said["answer"][:11]) == ("need_consent", "Not always.")
    assert (said["band"], said["passages"][0]["id"], said["emergency"]) == ("answer", "myth-consent", False)
    none = json.loads(sharewise("ask", "how do i bake a cake", "--json").stdout)
    assert none == {"band": "none", "passages": [], "emergency": False, "card": None, "answer": None}


def test_ask_reads_a_question_a_line_and_answers_in_the_same_order():
    done = sharewise(
        "ask", "-", "--json", stdin="do i always need consent\nhow do i bake a cake\n\nhow long do we keep it\n"
    )
    assert done.returncode == 0
    cards = [json.loads(line)["card"] for line in done.stdout.splitlines()]
    assert cards == ["need_consent", None, None, "keep_how_long"]


def test_ask_explains_what_each_ranking_said():
    said = json.loads(sharewise("ask", "do i always need consent", "--json", "--explain").stdout)
    assert set(said["explained"][0]) == {"id", "score", "search", "ranker", "meaning"}
    assert "ranker" in sharewise("ask", "do i always need consent", "--explain").stdout


def test_ask_in_words_cites_and_says_that_the_edition_was_replaced():
    done = sharewise("ask", "can", "gdpr", "stop", "me", "telling", "social", "care")
    assert "GDPR means General Data Protection Regulation." in done.stdout
    assert "Source: Myth-busting guide, myth 1 [myth-dpa]." in done.stdout
    assert "has been replaced" in done.stdout


def test_screen_reads_a_text_a_line_and_says_kinds_and_places_only():
    done = sharewise(
        "screen",
        "--json",
        stdin="NHS 943 476 5919\n\nThe child is safe, Year 9, section 47.\ncall 07700 900123 or a@b.org\n",
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0] == {"findings": [{"kind": "nhs_number", "start": 4, "end": 16}]}
    assert lines[1] == lines[2] == {"findings": []}
    assert [item["kind"] for item in lines[3]["findings"]] == ["phone", "email"]


def test_a_configured_case_reference_is_not_an_identifier_but_an_nhs_number_always_is():
    env = {"SHAREWISE_CASE_REFERENCE_PATTERN": "[A-Z]{2}\\\\d{6}[A-D]".replace("\\\\", "\\")}
    done = sharewise("screen", "--json", stdin="AB123456C\n9434765919\n", env=env)
    first, second = (json.loads(line)["findings"] for line in done.stdout.splitlines())
    assert first == []
    assert [item["kind"] for item in second] == ["nhs_number"]
    assert json.loads(sharewise("screen", "--json", stdin="AB123456C\n").stdout)["findings"][0]["kind"] == "nino"


def test_the_local_route_is_set_and_read_back(finished):
    assert sharewise("local", "set", "--data", str(finished), "day_number", "0300 123 0000").returncode == 0
    assert (
        json.loads(sharewise("local", "list", "--data", str(finished), "--json").stdout)["day_number"]
        == "0300 123 0000"
    )
    wrong = sharewise("local", "set", "--data", str(finished), "colour", "blue")
    assert wrong.returncode == 2
    assert "There is no such name to set." in wrong.stderr


def test_unanswered_questions_are_listed_without_who_asked(tmp_path):
    sharewise("chat", "--data", str(tmp_path), stdin="how do i bake a cake\n")
    (line,) = sharewise("unanswered", "--data", str(tmp_path), "--json").stdout.splitlines()
    row = json.loads(line)
    assert (row["question"], row["times"]) == ("how do i bake a cake", 1)
    assert set(row) == {"id", "edition_id", "team", "kind", "subject", "question", "times", "first_at", "last_at"}


def test_the_terminal_folds_what_telegram_folds_and_more_unfolds_it(tmp_path):
    typed = "/more\nhow long do we keep it\n/more\n"
    said = sharewise("chat", "--data", str(tmp_path), stdin=typed).stdout
    assert "Nothing is folded in the last message." in said
    answer, _, unfolded = said.partition("[More from the advice: folded, /more shows it]")
    assert "How long to keep it" not in answer
    assert "More from the advice\n\nHow long to keep it\nFollow your organisation's own retention policy." in unfolded


def test_a_store_of_the_first_version_is_restored_verified_and_continued(tmp_path):
    """Its backup, its record and its open walk: tests/data/0.1.0 was written by that version."""
    before, data = Path(__file__).parents[1] / "data" / "0.1.0", tmp_path / "data"
    key = (before / "master.key").read_text()
    restored = sharewise(
        "restore", str(before / "store.backup"), "--into", str(data), env={"SHAREWISE_MASTER_KEY": key.strip()}
    )
    assert restored.returncode == 0, restored.stderr
    (data / "master.key").write_text(key)
    (data / "master.key").chmod(0o600)
    (first,) = sharewise("records", "--data", str(data), "--json").stdout.splitlines()
    assert json.loads(first)["content"]["case_reference"] == "CASE-1"
    walked = "Yes\nNo\nShare\n1\n1\n1\n2\nIt helps.\nCASE-2\nSave the record\n"
    gone_on = sharewise("chat", "--data", str(data), stdin=walked)
    assert "Saved. To copy:" in gone_on.stdout, gone_on.stdout[-1500:]
    assert "Record: SW-" in gone_on.stdout
    found = [json.loads(line) for line in sharewise("records", "--data", str(data), "--json").stdout.splitlines()]
    assert [one["content"]["case_reference"] for one in found] == ["CASE-1", "CASE-2"]
    assert sharewise("verify", "--data", str(data)).returncode == 0
