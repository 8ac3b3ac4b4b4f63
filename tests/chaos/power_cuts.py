"""Runs a power-cut harness that reads plain tables on our sealed ones: it gives its connections a function that opens them.

python tests/chaos/power_cuts.py HARNESS/powerloss.py [the harness's own options]
"""

from __future__ import annotations

import json
import os
import runpy
import sqlite3
import sys
from pathlib import Path

from storage.core.sealing import Keyring

CASES = "select case_of(id, wrapped_key, content), '' from decision_record"


def main():
    keys = Keyring(bytes.fromhex(os.environ["SHAREWISE_MASTER_KEY"]))
    connect = sqlite3.connect

    def case_of(record_id, wrapped, content):
        place = f"record:{record_id}"
        return json.loads(keys.unwrap(wrapped, place).open(content, f"{place}:content"))["case_reference"]

    def connected(*args, **kwargs):
        connection = connect(*args, **kwargs)
        connection.create_function("case_of", 3, case_of)
        return connection

    sqlite3.connect = connected
    harness = sys.argv[1]
    sys.path.insert(0, str(Path(harness).parent))
    sys.argv = [
        harness,
        "--db",
        "{dir}/sharewise.db",
        "--sql",
        CASES,
        "--inbox-sql",
        "select update_id from inbox",
        *sys.argv[2:],
    ]
    runpy.run_path(harness, run_name="__main__")


if __name__ == "__main__":
    main()
