"""Render a page of rows as JSON, NDJSON, CSV or Parquet."""

import csv
import io
import json
from datetime import datetime
from typing import Any, Literal

from components.serving.gateway.keyset import Rows

Format = Literal["json", "ndjson", "csv", "parquet"]

TYPES: dict[Format, str] = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
# Of the formats besides JSON, for OpenAPI.
MEDIA_TYPES = {
    kind: {"schema": {"type": "string"}} for name, kind in TYPES.items() if name != "json"
}


def rendered(page: Rows, form: Format) -> tuple[bytes, str]:
    """Return a page and its media type; nested values are JSON in CSV and Parquet.

    Args:
        page: The rows.
        form: Name of the format.
    """
    return _RENDER[form](page), TYPES[form]


def _json(page: Rows) -> bytes:
    items = [_plain(row) for row in page.items]
    return json.dumps({"items": items, "next": page.next}, ensure_ascii=False).encode()


def _ndjson(page: Rows) -> bytes:
    lines = (json.dumps(_plain(row), ensure_ascii=False) + "\n" for row in page.items)
    return "".join(lines).encode()


def _csv(page: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(page.columns)
    for row in page.items:
        writer.writerow([_flat(value) for value in _plain(row).values()])
    return text.getvalue().encode()


def _parquet(page: Rows) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    columns = {name: [_nested(row[name]) for row in page.items] for name in page.columns}
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


_RENDER = {"json": _json, "ndjson": _ndjson, "csv": _csv, "parquet": _parquet}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _nested(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _flat(value: Any) -> Any:
    """Return a cell of CSV; a text that a spreadsheet would take for a formula gets a quote."""
    text = _nested(value)
    return f"'{text}" if isinstance(text, str) and text[:1] in tuple("=+-@\t\r") else text
