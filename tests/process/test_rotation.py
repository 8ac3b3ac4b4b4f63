"""`sharewise rotate` in its own process, killed again and again while another process keeps writing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading

from flows.screening import screened
from storage import inbox, members, outbox, pending_input, questions, records, reviews
from storage.core.engine import sqlite_url
from storage.core.sealing import Keyring
from storage.invites import InvitedAs
from storage.opening import open_store
from storage.operations import integrity
from tests.storage.test_records import AT, a_record
from tests.support.counts import COUNTS

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RECORDS, KILLS = 900, 12


def key_file(folder, name, key):
    path = folder / name
    path.write_text(key.hex())
    path.chmod(0o600)
    return path


def filled(url):
    """A store under the old key with every kind of sealed value."""
    store = open_store(url, Keyring(OLD))
    with store.unit() as unit:
        for number in range(RECORDS):
            reference, _ = a_record(unit, 1000 + number, f"CASE-{number}")
            stored = records.find(unit, reference)
            reviews.begin(unit, stored.clear["id"], stored.clear, rank=4)
        members.save(unit, 100, "practitioner", "north", AT, "test", InvitedAs("Kim"))
        questions.count_unanswered(unit, questions.Where("hmg-2015", "north"), "x", screened("what about the moon"), AT)
        outbox.enqueue(unit, 1, "message", {"text": "it waits"})
        inbox.take_in(unit, 7, [{"update_id": 1, "text": "it waits too"}], AT)
        pending_input.put(unit, 5, "review_words", "comment.SW-2222-2222", AT)
        before = {stored.clear["reference"]: stored.content for stored in records.listed(unit)}
    store.close()
    return before


def all_of_it(unit):
    """Return what the keys decrypt: every record and every other sealed value."""
    return (
        {stored.clear["reference"]: stored.content for stored in records.listed(unit)}, members.get(unit, 100).known_as,
        questions.listed(unit)[0].question, [m.payload["text"] for m in outbox.claim(unit)],
        [taken.payload["text"] for taken in inbox.claim(unit, 7)], pending_input.get(unit, 5).subject,
        len(reviews.queue(unit, "north", 0, reviews.Wanted(case="CASE-17"))),
    )  # fmt: skip


def test_rotation_killed_again_and_again_leaves_everything_readable(tmp_path):
    url = sqlite_url(tmp_path / "sharewise.db")
    before = filled(url)
    expected = (before, "Kim", "what about the moon", ["it waits"], ["it waits too"], "comment.SW-2222-2222", 1)
    environment = {
        **os.environ, "SHAREWISE_DATA_DIR": str(tmp_path), "SHAREWISE_MASTER_KEY_FILE": str(key_file(tmp_path, "new", NEW)),
        "SHAREWISE_OLD_MASTER_KEY_FILE": str(key_file(tmp_path, "old", OLD)),
    }  # fmt: skip
    environment.pop("SHAREWISE_MASTER_KEY", None)
    rotate = (sys.executable, "-u", "-m", "bot", "rotate")
    both, rng, stop = open_store(url, Keyring(NEW, OLD)), random.Random(3), threading.Event()

    def go_on_writing():
        """Keep writing with both keys, like a serving worker."""
        writer = open_store(url, Keyring(NEW, OLD))
        while not stop.wait(0.01):
            with writer.unit() as unit:
                members.save(unit, 101, "practitioner", "north", AT, "test", InvitedAs("Lee"))
        writer.close()

    thread = threading.Thread(target=go_on_writing)
    thread.start()
    killed = 0
    try:
        for _ in range(KILLS):
            process = subprocess.Popen(rotate, env=environment, stdout=subprocess.PIPE, text=True)
            # Kill it at a random moment after it reported a step, in the middle of the next one.
            told = process.stdout.readline()
            stop.wait(rng.random() * 0.02)
            process.kill()
            process.stdout.close()
            killed += process.wait(30) == -9
            with both.unit() as unit:
                assert all_of_it(unit) == expected, told
                assert integrity.verify(unit).broken is None
        subprocess.run(rotate, env=environment, check=True, capture_output=True, timeout=120)
    finally:
        stop.set()
        thread.join(30)
    both.close()
    alone = open_store(url, Keyring(NEW))
    with alone.unit() as unit:
        assert all_of_it(unit) == expected
        assert integrity.verify(unit).broken is None
    alone.close()
    assert killed >= KILLS // 2
    COUNTS["rotations killed in the middle, everything readable"] += killed
