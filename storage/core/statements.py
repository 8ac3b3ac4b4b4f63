"""Statements that are asked at every update: written once from the tables, compiled once, given to the driver itself.

The library's own way to the driver costs several times what asking does. What is asked now and then goes that way all the same.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter, methodcaller
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Dialect, Executable, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storage.core.json_bytes import packed
from storage.core.store import Unit, of_driver

#: As both drivers take values by name.
DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}


class Among(FunctionElement[bool]):
    """A condition: a number is one of many that are given as one value, so that the statement stays the same."""

    inherit_cache = True
    type = Boolean()
    # Else the library compares it with 1, and no index is used.
    _is_implicitly_boolean = True


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Say that a column's number is among the list given under this name."""
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


#: What is taken from a cursor.
_ALL, _ONE, _COUNT = methodcaller("fetchall"), methodcaller("fetchone"), attrgetter("rowcount")


class Prepared:
    """One statement. `columns`: what an insert writes. A list among the values stays one value: see `among`.

    Rows are named tuples. Booleans of SQLite come as 0 and 1.
    """

    def __init__(self, statement: Executable, columns: Collection[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
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
        """Write; return how many rows were changed."""
        return int(self._run(unit, values, _COUNT))

    def _run(self, unit: Unit, values: Mapping[str, Any] | None, take: Callable[[Any], Any]) -> Any:
        dialect: Any = unit.connection.dialect
        written, fixed = self._written.get(dialect.name) or self._compile(dialect.name)
        given = {**fixed, **values} if values else fixed
        if dialect.name == "sqlite":
            given = {name: packed(value).decode() if type(value) is list else value for name, value in given.items()}
        try:
            # SQLite's goes on working while rows are taken.
            return take(unit.driver.execute(written, given))
        except dialect.dbapi.Error as error:
            raise of_driver(dialect, written, error) from error

    def _compile(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the statement as the driver takes it, and the values that stand in it for good."""
        compiled: Any = self._statement.compile(dialect=DIALECTS[name], column_keys=self._columns)  # type: ignore[attr-defined]
        fixed = {key: value for key, value in compiled.params.items() if not compiled.binds[key].required}
        self._written[name] = str(compiled), fixed
        return self._written[name]
