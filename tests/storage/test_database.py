"""Migrations, settings that would lose a commit, and keys."""

from __future__ import annotations

import os
import stat
import uuid
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url, text
from sqlmodel import SQLModel

import storage.core.models  # noqa: F401 (fills the metadata)
from bot.usecases import health
from storage.core.clock import utc_now
from storage.core.engine import SCHEMA, alembic_config, check_for_serving, make_engine, upgrade
from storage.core.faults import StorageRefused, StorageUnavailable
from storage.core.sealing import BadKey, Keyring, key_from_file, key_from_text, make_key_file
from storage.opening import open_store
from storage.operations import integrity
from tests.conftest import postgresql_url
from tests.storage.test_records import a_record, run
from tests.support.pooler import pooler
from tests.support.stores import KEYS


def test_the_migrations_head_is_what_the_program_needs():
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == SCHEMA


def test_the_tables_are_what_the_models_say(url):
    engine = make_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_down_and_up_again_with_data_in_it(url):
    store = open_store(url, KEYS)
    run(store, a_record)
    store.close()
    engine = make_engine(url)
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    upgrade(engine)
    engine.dispose()
    again = open_store(url, KEYS)
    run(again, a_record)
    with again.unit() as unit:
        assert integrity.verify(unit).broken is None
    again.close()


def test_a_postgresql_that_would_lose_a_commit_is_refused(postgresql):
    url = postgresql_url(postgresql, f"weak_{uuid.uuid4().hex}")
    engine = make_engine(url)
    with engine.begin() as connection:
        name = engine.url.database
        connection.execute(text(f'alter database "{name}" set synchronous_commit = off'))
    engine.dispose()
    with pytest.raises(StorageRefused, match="synchronous_commit"):
        open_store(url, KEYS)


@pytest.mark.parametrize(
    ("made", "given", "error", "said"),
    [
        ("with encoding 'LATIN1' locale 'C' template template0", "", StorageRefused, "encoding UTF8"),
        ("", "alter database {0} set default_transaction_read_only = on", StorageUnavailable, "may only be read"),
        ("connection limit 0", "", StorageUnavailable, "lets no more connections in"),
        ("", "revoke create on schema public from public", StorageUnavailable, "must own the database"),
        ("", "sslmode=require", StorageUnavailable, "encryption that sslmode asks for"),
        ("", "sslmode=yes", StorageUnavailable, "an sslmode that is not known"),
    ],
)
def test_a_postgresql_that_cannot_be_used_is_told_with_the_cause(postgresql, made, given, error, said):
    name, role = (f"{kind}_{uuid.uuid4().hex}" for kind in ("unfit", "role"))
    server = make_engine(postgresql)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create role {role} login"))
        connection.execute(text(f"create database {name} {made}"))
    server.dispose()
    address = make_url(postgresql).set(database=name)
    if given.startswith("ssl"):
        # Over TCP: a socket knows no encryption.
        address = address.update_query_string(given)
        with pooler(Path(address.query["host"]), by_transaction=False) as port:
            of_pooler = address.set(host="127.0.0.1", port=port).difference_update_query(["host"])
            with pytest.raises(error, match=said):
                open_store(of_pooler.render_as_string(), KEYS)
        return
    if given:
        engine = make_engine(address.render_as_string())
        with engine.begin() as connection:
            connection.execute(text(given.format(name)))
        engine.dispose()
    url = address.set(username=role).render_as_string()
    with pytest.raises(error, match=said):
        check_for_serving(url)
        open_store(url, KEYS)


def test_a_pooler_that_has_no_session_left_is_told(postgresql):
    direct = make_url(postgresql)
    with pooler(Path(direct.query["host"]), by_transaction=False, most=2) as port:
        url = direct.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        with pytest.raises(StorageUnavailable, match="the pooler lets no more connections in"):
            check_for_serving(url)


@pytest.mark.slow
@pytest.mark.parametrize("by_transaction", [True, False])
def test_a_pooler_that_changes_sessions_between_transactions_is_refused_and_one_that_keeps_them_serves(
    postgresql, migrated_postgresql, by_transaction
):
    direct = make_url(postgresql_url(postgresql, f"pooled_{uuid.uuid4().hex}", migrated_postgresql))
    with pooler(Path(direct.query["host"]), by_transaction=by_transaction) as port:
        url = direct.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        if by_transaction:
            with pytest.raises(StorageRefused, match="pool_mode = session"):
                check_for_serving(url)
            return
        check_for_serving(url)
        store = open_store(url, KEYS)
        run(store, a_record)
        with store.unit() as unit:
            assert integrity.verify(unit).broken is None
        store.close()


def test_a_server_that_may_only_be_read_is_not_ready(postgresql, migrated_postgresql):
    store = open_store(postgresql_url(postgresql, f"standby_{uuid.uuid4().hex}", migrated_postgresql), KEYS)
    with store.unit() as unit:
        assert health.not_ready(unit, utc_now()) == []
        unit.connection.execute(text("set transaction read only"))
        assert health.not_ready(unit, utc_now()) == ["database: it may only be read"]
    store.close()


def test_a_store_at_another_version_is_refused_when_it_may_not_be_migrated(tmp_path):
    with pytest.raises(StorageRefused):
        open_store(f"sqlite:///{tmp_path / 'empty.db'}", KEYS, migrate=False)


def test_sqlite_is_set_up_to_keep_every_commit(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}", KEYS)
    with store.unit() as unit:
        found = {name: unit.connection.exec_driver_sql(f"pragma {name}").scalar() for name in
                 ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")}  # fmt: skip
    store.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path):
    path = tmp_path / "deep" / "master.key"
    key = make_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_key_file(path) == key == key_from_file(path)
    os.chmod(path, 0o644)
    with pytest.raises(BadKey, match="read by others"):
        key_from_file(path)


@pytest.mark.parametrize("wrong", ["", "abc", "zz" * 32, "00" * 31])
def test_a_wrong_key_is_refused(wrong):
    with pytest.raises(BadKey):
        key_from_text(wrong)


def test_keys_never_show_themselves():
    assert bytes(range(32)).hex() not in repr(KEYS)
    wrapped, sealer = KEYS.new_key("record:1")
    assert repr(sealer) == "Sealer(…)"
    assert KEYS.unwrap(wrapped, "record:1").open(sealer.seal(b"x", "p"), "p") == b"x"
    with pytest.raises(BadKey):
        Keyring(b"short")
