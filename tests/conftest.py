"""Shared fixtures: a store on both databases, and the counts that tests print at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from flows.advice import Index
from storage.core.store import Store
from storage.opening import open_store
from tests.support.counts import COUNTS
from tests.support.servers import end_at_once, postgresql_in
from tests.support.stores import KEYS, migrated

# Several processes share the cores, so numpy must not use all of them in each. It counts before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Tests ask the same few hundred questions in thousands of states. An answer depends on nothing but the question.
Index.ask = lru_cache(maxsize=20_000)(Index.ask)  # type: ignore[method-assign]


def pytest_configure(config: pytest.Config) -> None:
    """Give the commands that tests run a data folder of their own: this machine's may hold a chat that is in use."""
    folder = tempfile.mkdtemp(prefix="sharewise-tests-")
    os.environ["XDG_DATA_HOME"] = folder
    config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put every test that is not marked slow into the fast tier. Tests with real processes or PostgreSQL are slow."""
    for item in items:
        given = getattr(item, "callspec", None)
        on_server = "postgresql" in getattr(item, "fixturenames", ()) or (
            given and "postgresql" in given.params.values()
        )
        if on_server or "process" in item.path.parts:
            item.add_marker("slow")
        if item.get_closest_marker("slow") is None:
            item.add_marker("fast")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass this process's counts to the process that started it."""
    if handed := getattr(session.config, "workeroutput", None):
        handed["counts"] = dict(COUNTS)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Add up the counts of all processes."""
    COUNTS.update(getattr(node, "workeroutput", {}).get("counts", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts."""
    if COUNTS:
        terminalreporter.section("enumerated")
        for name, count in sorted(COUNTS.items()):
            terminalreporter.line(f"{name}: {count}")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real PostgreSQL server for this session; yield its address."""
    folder = tmp_path_factory.mktemp("postgresql")
    with postgresql_in(folder) as server:
        yield server.get_uri()
        # The data is no longer needed, so the server need not write its hundreds of databases to disk first.
        end_at_once(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    """The name of a database with all tables, to copy from."""
    open_store(postgresql_url(postgresql, "sharewise_template"), KEYS).close()
    return "sharewise_template"


def postgresql_url(server: str, name: str, template: str = "template1") -> str:
    """Create a database and return its address."""
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'create database "{name}" template "{template}"'))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, migrated database: every test that uses it runs on both."""
    if request.param == "sqlite":
        return migrated(tmp_path / "sharewise.db")
    server = request.getfixturevalue("postgresql")
    template = request.getfixturevalue("migrated_postgresql")
    return postgresql_url(server, f"test_{uuid.uuid4().hex}", template)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store on either database."""
    opened = open_store(url, KEYS)
    yield opened
    opened.close()
