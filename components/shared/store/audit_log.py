"""SQL of the audit log of model versions, in the transaction of the caller."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg2 import extensions
from psycopg2.extras import Json

from components.shared.contracts.record import Record
from components.shared.store.versions import Version


class AuditEntry(Record):
    """One action: registered, promoted, restored, rolled_back (as canary) or stepped_back.

    A champion steps back that did not come up in service; it has then never served.
    """

    at: datetime
    action: str
    model: str
    detail: dict[str, Any]


def audit(
    cursor: extensions.cursor, version: Version, action: str, detail: Mapping[str, Any]
) -> None:
    """Append an action on a version to the audit log.

    Args:
        cursor: Cursor in a transaction of the caller.
        version: A registered version.
        action: An action of `AuditEntry`.
        detail: Facts, as JSON.
    """
    cursor.execute(
        "INSERT INTO registry.audit (dataset, action, model, detail) VALUES (%s, %s, %s, %s)",
        (version.dataset, action, version.model, Json(dict(detail))),
    )


def audited(cursor: extensions.cursor, dataset: str) -> list[AuditEntry]:
    """Return the audit log of a dataset, oldest first.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
    """
    cursor.execute(
        "SELECT at, action, model, detail FROM registry.audit WHERE dataset = %s ORDER BY id",
        (dataset,),
    )
    return [
        AuditEntry(**dict(zip(AuditEntry.model_fields, row, strict=True)))
        for row in cursor.fetchall()
    ]


def has_served(cursor: extensions.cursor, version: Version) -> bool:
    """Return whether a version was promoted and not stepped back since.

    Args:
        cursor: Cursor in a transaction of the caller.
        version: A registered version.
    """
    return last_action(cursor, version, "promoted", "restored", "stepped_back")[0] in (
        "promoted",
        "restored",
    )


def last_action(
    cursor: extensions.cursor, version: Version, *actions: str
) -> tuple[str | None, dict[str, Any]]:
    """Return which of some actions was the last one done to a version, and its detail.

    Args:
        cursor: Cursor in a transaction of the caller.
        version: A registered version.
        *actions: Actions of `AuditEntry`.
    """
    cursor.execute(
        "SELECT action, detail FROM registry.audit"
        " WHERE dataset = %s AND model = %s AND action = ANY(%s) ORDER BY id DESC LIMIT 1",
        (version.dataset, version.model, list(actions)),
    )
    return cursor.fetchone() or (None, {})
