"""Turn lists of records into CSV and XLSX, safe from formula injection. Coded columns only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from storage.reviews import ReviewRow

COLUMNS = (
    "reference", "finished_at", "team", "flow", "outcome", "decision", "otherwise", "harm", "state", "rank", "grade",
    "follow_up_on",
)  # fmt: skip
#: Characters that make a spreadsheet program read a cell as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(value: object) -> str:
    """Return a value as text that no spreadsheet program reads as a formula."""
    text = "" if value is None else "yes" if value is True else "no" if value is False else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def as_csv(rows: Iterable[ReviewRow]) -> bytes:
    """Return a list as CSV (RFC 4180) with a byte-order mark, so that spreadsheet programs read it as UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe(getattr(row, name)) for name in COLUMNS] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(rows: Iterable[ReviewRow]) -> bytes:
    """Return a list as XLSX, with every cell stored as text."""
    import xlsxwriter  # type: ignore[import-untyped]

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("Records")
        for column, name in enumerate(COLUMNS):
            sheet.write_string(0, column, name)
        for number, row in enumerate(rows, 1):
            for column, name in enumerate(COLUMNS):
                sheet.write_string(number, column, safe(getattr(row, name)))
    return out.getvalue()
