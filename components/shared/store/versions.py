"""SQL of model versions, aliases and the audit log, in the transaction of the caller."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from psycopg2 import extensions
from psycopg2.extras import Json

from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record

Alias = Literal["champion", "challenger", "previous"]

MIN_DIGITS = 8  # digits of a digest that name a model, if no other begins so

SELECT = (
    "SELECT dataset, version, model, uri, snapshot, lineage, metrics, reason, compared_with"
    " FROM registry.versions"
)


class PromotionConflictError(UserError):
    """Another model became champion in the meantime."""


class Version(Record):
    """A registered model: its number within the dataset and its metadata."""

    dataset: str
    version: int
    model: str
    uri: str
    snapshot: str
    lineage: dict[str, Any]
    metrics: dict[str, float]
    reason: str
    compared_with: str | None = None

    @property
    def name(self) -> str:
        """Name of the version in messages."""
        return f"version {self.version} of {self.dataset} ({self.model[:12]})"


class AuditEntry(Record):
    """One action: registered, promoted, restored, rolled_back (as canary) or stepped_back.

    A champion steps back that did not come up in service; it has then never served.
    """

    at: datetime
    action: str
    model: str
    detail: dict[str, Any]


def lock(cursor: extensions.cursor, dataset: str) -> None:
    """Lock a dataset's versions and aliases until the transaction ends."""
    # Before its first version a dataset has no row to lock, so its name is locked.
    cursor.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('registry ' || %s, 0))", (dataset,)
    )


def version_of(row: tuple[Any, ...]) -> Version:
    """Convert a row of `SELECT` to a version."""
    return Version(**dict(zip(Version.model_fields, row, strict=True)))


def _first(cursor: extensions.cursor) -> Version | None:
    row = cursor.fetchone()
    return version_of(row) if row else None


def of_model(cursor: extensions.cursor, dataset: str, model: str) -> Version | None:
    """Return the version with a digest, or None."""
    cursor.execute(f"{SELECT} WHERE dataset = %s AND model = %s", (dataset, model))
    return _first(cursor)


def named(cursor: extensions.cursor, dataset: str, name: str) -> Version:
    """Return the version of an alias, a digest, or a prefix of one.

    Raises:
        UserError: If there is none, or several begin so.
    """
    alias = of_alias(cursor, dataset, name)
    found = [alias] if alias else _beginning(cursor, dataset, name)
    if len(found) > 1:
        names = ", ".join(version.name for version in found)
        raise UserError(f"{dataset} has several models {name!r}: {names}; expected more digits")
    if not found:
        raise UserError(
            f"{dataset} has no model {name[:12]!r}, expected a digest, "
            f"its first {MIN_DIGITS} digits or more, or an alias"
        )
    return found[0]


def _beginning(cursor: extensions.cursor, dataset: str, digits: str) -> list[Version]:
    if len(digits) < MIN_DIGITS:
        return []
    cursor.execute(
        f"{SELECT} WHERE dataset = %s AND starts_with(model, %s) ORDER BY version",
        (dataset, digits.lower()),
    )
    return [version_of(row) for row in cursor.fetchall()]


def compared_again(
    cursor: extensions.cursor, dataset: str, model: str, champion: str | None
) -> Version | None:
    """Record the champion of a version's last comparison; None if there is no such version."""
    cursor.execute(
        "UPDATE registry.versions SET compared_with = %s WHERE dataset = %s AND model = %s",
        (champion, dataset, model),
    )
    return of_model(cursor, dataset, model)


def of_alias(cursor: extensions.cursor, dataset: str, alias: str) -> Version | None:
    """Return the version of an alias, or None."""
    cursor.execute(
        f"{SELECT} JOIN registry.aliases USING (dataset, version)"
        " WHERE dataset = %s AND alias = %s",
        (dataset, alias),
    )
    return _first(cursor)


def next_version(cursor: extensions.cursor, dataset: str) -> int:
    """Return the number after the newest version."""
    cursor.execute(
        "SELECT coalesce(max(version), 0) + 1 FROM registry.versions WHERE dataset = %s", (dataset,)
    )
    ((version,),) = cursor.fetchall()
    return int(version)


def insert(cursor: extensions.cursor, version: Version) -> None:
    """Add a version."""
    row = version.model_dump()
    row |= {"lineage": Json(row["lineage"]), "metrics": Json(row["metrics"])}
    cursor.execute(
        "INSERT INTO registry.versions"
        " (dataset, version, model, uri, snapshot, lineage, metrics, reason, compared_with)"
        " VALUES (%(dataset)s, %(version)s, %(model)s, %(uri)s, %(snapshot)s, %(lineage)s,"
        " %(metrics)s, %(reason)s, %(compared_with)s)",
        row,
    )


def point(cursor: extensions.cursor, alias: Alias, version: Version) -> None:
    """Set an alias to a version."""
    cursor.execute(
        "INSERT INTO registry.aliases (dataset, alias, version) VALUES (%s, %s, %s)"
        " ON CONFLICT (dataset, alias) DO UPDATE SET version = excluded.version",
        (version.dataset, alias, version.version),
    )


def remove(cursor: extensions.cursor, alias: Alias, version: Version) -> None:
    """Remove an alias from a version, if the version has it."""
    cursor.execute(
        "DELETE FROM registry.aliases WHERE dataset = %s AND alias = %s AND version = %s",
        (version.dataset, alias, version.version),
    )


def audit(
    cursor: extensions.cursor, version: Version, action: str, detail: Mapping[str, Any]
) -> None:
    """Append an action on a version to the audit log."""
    cursor.execute(
        "INSERT INTO registry.audit (dataset, action, model, detail) VALUES (%s, %s, %s, %s)",
        (version.dataset, action, version.model, Json(dict(detail))),
    )


def audited(cursor: extensions.cursor, dataset: str) -> list[AuditEntry]:
    """Return the audit log of a dataset, oldest first."""
    cursor.execute(
        "SELECT at, action, model, detail FROM registry.audit WHERE dataset = %s ORDER BY id",
        (dataset,),
    )
    return [
        AuditEntry(**dict(zip(AuditEntry.model_fields, row, strict=True)))
        for row in cursor.fetchall()
    ]


def has_served(cursor: extensions.cursor, version: Version) -> bool:
    """Return whether a version was promoted and not stepped back since."""
    return _last(cursor, version, "promoted", "restored", "stepped_back")[0] in (
        "promoted",
        "restored",
    )


def check_champion(dataset: str, champion: Version | None, expected: str | None) -> None:
    """Raise if the champion is not the one that the caller read.

    Raises:
        PromotionConflictError: If another model than the expected one serves.
    """
    if (champion.model if champion else None) != expected:
        now = champion.name if champion else f"no model of {dataset}"
        before = expected[:12] if expected else "none"
        raise PromotionConflictError(f"{now} is in service now, expected {before}: compare again")


def step_back(
    cursor: extensions.cursor, version: Version, before: Version, detail: Mapping[str, Any]
) -> None:
    """Replace a champion by `before`, with all aliases as they were then."""
    audit(cursor, version, "stepped_back", detail)
    point(cursor, "champion", before)
    remove(cursor, "previous", before)
    _, promotion = _last(cursor, before, "promoted", "restored")
    previous = of_model(cursor, version.dataset, promotion.get("instead_of") or "")
    if previous and has_served(cursor, previous):
        point(cursor, "previous", previous)


def _last(
    cursor: extensions.cursor, version: Version, *actions: str
) -> tuple[str | None, dict[str, Any]]:
    """Return which of some actions was the last one done to a version, and its detail."""
    cursor.execute(
        "SELECT action, detail FROM registry.audit"
        " WHERE dataset = %s AND model = %s AND action = ANY(%s) ORDER BY id DESC LIMIT 1",
        (version.dataset, version.model, list(actions)),
    )
    return cursor.fetchone() or (None, {})


def claimed(cursor: extensions.cursor, dataset: str) -> bool:
    """Try to lock a dataset's rollouts for this connection.

    Args:
        cursor: In a transaction of the caller.
        dataset: Name of the dataset.
    """
    cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('rollout ' || %s, 0))", (dataset,))
    ((taken,),) = cursor.fetchall()
    return bool(taken)
