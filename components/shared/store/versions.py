"""SQL of model versions, in the transaction of the caller."""

from typing import Any

from psycopg2 import extensions
from psycopg2.extras import Json

from components.shared.contracts.record import Record

SELECT = (
    "SELECT dataset, version, model, uri, snapshot, lineage, metrics, reason, compared_with"
    " FROM registry.versions"
)


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


def lock(cursor: extensions.cursor, dataset: str) -> None:
    """Lock a dataset's versions and aliases until the transaction ends.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
    """
    # Before its first version a dataset has no row to lock, so its name is locked.
    cursor.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('registry ' || %s, 0))", (dataset,)
    )


def version_of(row: tuple[object, ...]) -> Version:
    """Convert a row of `SELECT` to a version."""
    return Version(**dict(zip(Version.model_fields, row, strict=True)))


def first_of(cursor: extensions.cursor) -> Version | None:
    """Return the version in the first row of a `SELECT` that was executed, or None."""
    row = cursor.fetchone()
    return version_of(row) if row else None


def of_model(cursor: extensions.cursor, dataset: str, model: str) -> Version | None:
    """Return the version with a digest, or None.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
        model: Digest of the package, 64 hexadecimal digits.
    """
    cursor.execute(f"{SELECT} WHERE dataset = %s AND model = %s", (dataset, model))
    return first_of(cursor)


def compared_again(
    cursor: extensions.cursor, dataset: str, model: str, champion: str | None
) -> Version | None:
    """Record the champion of a version's last comparison; None if there is no such version.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
        model: Digest of the package, 64 hexadecimal digits.
        champion: Digest of the champion of the comparison; None if there was none.
    """
    cursor.execute(
        "UPDATE registry.versions SET compared_with = %s WHERE dataset = %s AND model = %s",
        (champion, dataset, model),
    )
    return of_model(cursor, dataset, model)


def next_version(cursor: extensions.cursor, dataset: str) -> int:
    """Return the number after the newest version.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
    """
    cursor.execute(
        "SELECT coalesce(max(version), 0) + 1 FROM registry.versions WHERE dataset = %s", (dataset,)
    )
    ((version,),) = cursor.fetchall()
    return int(version)


def insert(cursor: extensions.cursor, version: Version) -> None:
    """Add a version.

    Args:
        cursor: Cursor in a transaction of the caller.
        version: The new version.
    """
    row = version.model_dump()
    row |= {"lineage": Json(row["lineage"]), "metrics": Json(row["metrics"])}
    cursor.execute(
        "INSERT INTO registry.versions"
        " (dataset, version, model, uri, snapshot, lineage, metrics, reason, compared_with)"
        " VALUES (%(dataset)s, %(version)s, %(model)s, %(uri)s, %(snapshot)s, %(lineage)s,"
        " %(metrics)s, %(reason)s, %(compared_with)s)",
        row,
    )


def claimed(cursor: extensions.cursor, dataset: str) -> bool:
    """Try to lock a dataset's rollouts for this connection.

    Args:
        cursor: In a transaction of the caller.
        dataset: Name of the dataset.
    """
    cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('rollout ' || %s, 0))", (dataset,))
    ((taken,),) = cursor.fetchall()
    return bool(taken)
