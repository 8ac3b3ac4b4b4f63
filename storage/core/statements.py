"""Statements that run for every update: built from the tables, compiled once and given straight to the driver.

Going through SQLAlchemy costs several times as much as the query itself. Statements that run now and then still do.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter, methodcaller
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Dialect, Executable, Table, bindparam, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storage.core.faults import of_driver
from storage.core.json_bytes import dumps
from storage.core.unit import Unit

#: Both drivers take values by name in these styles.
DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}


class Among(FunctionElement[bool]):
    """The condition that a number is in a list passed as one value: the SQL is then the same for any length."""

    inherit_cache = True
    type = Boolean()
    # Otherwise SQLAlchemy compares it with 1 and no index is used.
    _is_implicitly_boolean = True


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that a column is in the list passed under this name."""
    return Among(column, bindparam(name))


@compiles(Among, "sqlite")
def _among_in_sqlite(element: Any, compiler: Any, **how: Any) -> str:
    column, many = (compiler.process(clause, **how) for clause in element.clauses)
    return f"({column} in (select value from json_each({many})))"  # noqa: S608 (both are the compiler's own)


@compiles(Among, "postgresql")
def _among_in_postgresql(element: Any, compiler: Any, **how: Any) -> str:
    column, many = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = any(cast({many} as bigint[]))"


def _row_of(names: Sequence[str]) -> Any:
    return namedtuple("Row", names)


#: What to fetch from a cursor.
_ALL, _ONE, _COUNT = methodcaller("fetchall"), methodcaller("fetchone"), attrgetter("rowcount")


class Prepared:
    """One statement. `columns`: those that an insert writes. A list among the values stays one value: see `among`.

    Rows are named tuples. SQLite returns booleans as 0 and 1.
    """

    def __init__(self, statement: Executable, columns: Collection[str] | None = None) -> None:
        self.statement, self.columns = statement, columns
        self._written: dict[str, tuple[str, dict[str, Any]]] = {}
        names = [column.key for column in getattr(statement, "selected_columns", ())]
        self._row: Callable[[Sequence[Any]], Any] = _row_of(names)._make

    def all(self, unit: Unit, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Return the rows found."""
        return [self._row(row) for row in self._run(unit, values, _ALL)]

    def first(self, unit: Unit, values: Mapping[str, Any] | None = None) -> Any:
        """Return the first row found, or None."""
        row = self._run(unit, values, _ONE)
        return None if row is None else self._row(row)

    def scalar(self, unit: Unit, values: Mapping[str, Any] | None = None) -> Any:
        """Return the first value of the first row found, or None."""
        row = self._run(unit, values, _ONE)
        return None if row is None else row[0]

    def change(self, unit: Unit, values: Mapping[str, Any] | None = None) -> int:
        """Insert, update or delete; return the number of rows affected."""
        return int(self._run(unit, values, _COUNT))

    def _run(self, unit: Unit, values: Mapping[str, Any] | None, take: Callable[[Any], Any]) -> Any:
        dialect: Any = unit.connection.dialect
        written, fixed = self._written.get(dialect.name) or self.compiled(dialect.name)
        given = {**fixed, **values} if values else fixed
        if dialect.name == "sqlite":
            given = {name: dumps(value).decode() if type(value) is list else value for name, value in given.items()}
        try:
            # SQLite runs the query while the rows are fetched, so fetching can fail too.
            return take(unit.driver.execute(written, given))
        except dialect.dbapi.Error as error:
            raise of_driver(dialect, written, error) from error

    def compiled(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the SQL for the driver, and the values that are part of the statement."""
        compiled: Any = self.statement.compile(dialect=DIALECTS[name], column_keys=self.columns)  # type: ignore[attr-defined]
        fixed = {key: value for key, value in compiled.params.items() if not compiled.binds[key].required}
        self._written[name] = str(compiled), fixed
        return self._written[name]


def insert_one(unit: Unit, table: Table, values: dict[str, Any]) -> int:
    """Insert one row; return the number that the database gave it."""
    done = unit.connection.execute(insert(table).values(**values))
    if done.inserted_primary_key is None:
        raise LookupError("an inserted row has no key")
    return int(done.inserted_primary_key[0])


def upsert(unit: Unit, table: Table, unique: Sequence[str], rows: Sequence[dict[str, Any]], **change: Any) -> None:
    """Insert rows; update those that exist already, even if another worker wrote them a moment ago.

    `unique`: the columns that identify a row. `change`: what to set in an existing row; by default the given values.
    """
    new = sqlite.insert(table) if unit.is_sqlite else postgresql.insert(table)
    change = change or {name: new.excluded[name] for name in rows[0] if name not in unique}
    unit.connection.execute(new.on_conflict_do_update(index_elements=unique, set_=change), rows)
