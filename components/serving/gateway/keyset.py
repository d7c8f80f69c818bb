"""Read one page of a table in the order of a key, with filters: keyset pagination.

Source: https://use-the-index-luke.com/no-offset.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2 import DataError

from components.serving.gateway.database import Database
from components.shared.traffic.http_errors import HttpError


class Keyset(NamedTuple):
    """A table and the order of its pages, the newest row first.

    Attributes:
        table: Name with schema.
        columns: Columns of a page.
        order: Columns that give each row its own place; an index begins with the dataset and
            goes on with these.
        types: Types of these columns in PostgreSQL.
    """

    table: str
    columns: tuple[str, ...]
    order: tuple[str, str]
    types: tuple[str, str]


class Rows(NamedTuple):
    """One page: its rows by column, and the cursor of the next page if there is one."""

    columns: tuple[str, ...]
    items: list[dict[str, Any]]
    next: str | None


def read_page(
    database: Database,
    keyset: Keyset,
    dataset: str,
    filters: Mapping[str, Any],
    limit: int,
    cursor: str | None,
) -> Rows:
    """Read one page.

    Args:
        database: Holds the table.
        keyset: The table and its order.
        dataset: Name of the dataset.
        filters: Values by condition, such as `camera = %s`; None leaves it out.
        limit: Maximum number of rows.
        cursor: That of the page before; None begins with the newest row.

    Raises:
        HttpError: 422, if the cursor is none of ours.
    """
    given = {condition: value for condition, value in filters.items() if value is not None}
    order, values = ", ".join(keyset.order), [dataset, *given.values()]
    conditions = ["dataset = %s", *given]
    if cursor is not None:
        conditions.append("({}) < (%s::{}, %s::{})".format(order, *keyset.types))
        values += _decoded(cursor)
    query = (
        f"SELECT {', '.join(keyset.columns)} FROM {keyset.table} "
        f"WHERE {' AND '.join(conditions)} "
        f"ORDER BY {keyset.order[0]} DESC, {keyset.order[1]} DESC LIMIT %s"
    )
    try:
        rows = database.select(query, [*values, limit + 1])
    except DataError as cause:
        raise _no_cursor() from cause
    more, rows = len(rows) > limit, rows[:limit]
    following = _encoded([rows[-1][name] for name in keyset.order]) if more else None
    return Rows(keyset.columns, rows, following)


def _encoded(values: list[Any]) -> str:
    text = json.dumps([v.isoformat() if isinstance(v, datetime) else str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> list[str]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as cause:
        raise _no_cursor() from cause
    is_pair = isinstance(values, list) and len(values) == 2
    if not is_pair or not all(isinstance(v, str) and "\0" not in v for v in values):
        raise _no_cursor()
    return list(values)


def _no_cursor() -> HttpError:
    return HttpError(422, "cursor: expected `next` of a page of the same query")
