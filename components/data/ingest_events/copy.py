"""Write rows to PostgreSQL: by COPY if their keys are new, by INSERT if they may exist."""

from collections.abc import Sequence
from io import BytesIO

from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extras import execute_values

from components.data.ingest_events.rows import COLUMNS, Row

COPY_BYTES = 65_536  # handed to the driver at once
ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))

NULL = "\0"  # until all rows are spelled: PostgreSQL cannot hold U+0000, so no text has one


def copy_rows(cursor: Cursor, table: str, rows: Sequence[Row]) -> None:
    """Write rows whose keys are not in the table yet, at a third of the cost of an INSERT.

    Args:
        cursor: In a transaction of the caller.
        table: Name with schema, a key of `rows.COLUMNS`.
        rows: Rows with the table's columns.

    Raises:
        psycopg2.errors.UniqueViolation: If a key is there.
        ValueError: If a text holds U+0000.
    """
    query = f"COPY {table} ({COLUMNS[table]}) FROM STDIN"
    cursor.copy_expert(query, BytesIO(encode_rows(rows).encode()), COPY_BYTES)


def insert_rows(cursor: Cursor, table: str, rows: Sequence[Row]) -> None:
    """Write rows, and leave those as they are whose keys are in the table.

    Args:
        cursor: In a transaction of the caller.
        table: Name with schema, a key of `rows.COLUMNS`.
        rows: Rows with the table's columns.
    """
    query = f"INSERT INTO {table} ({COLUMNS[table]}) VALUES %s ON CONFLICT DO NOTHING"
    execute_values(cursor, query, rows, page_size=1000)


def encode_rows(rows: Sequence[Row]) -> str:
    r"""Encode rows in the text format of COPY.

    Args:
        rows: Of one table, of values whose `str` PostgreSQL reads.

    Raises:
        ValueError: If a text holds U+0000.

    >>> encode_rows([("a\\b", None), ("", 2.5)])
    'a\\\\b\t\\N\n\t2.5\n'
    """
    lines = [_spell([NULL if value is None else str(value) for value in row]) for row in rows]
    text = "".join(lines)
    if text.count(NULL) != sum(row.count(None) for row in rows):
        raise ValueError("a text holds U+0000, expected none")
    return text.replace(NULL, "\\N")


def _spell(fields: Sequence[str]) -> str:
    line = "\t".join(fields) + "\n"
    plain = line.count("\t") == len(fields) - 1 and line.count("\n") == 1
    if plain and "\\" not in line and "\r" not in line:
        return line
    return "\t".join(map(_escape, fields)) + "\n"


def _escape(text: str) -> str:
    for plain, escaped in ESCAPES:
        text = text.replace(plain, escaped)
    return text
