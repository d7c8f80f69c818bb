"""SQL of the aliases of model versions, in the transaction of the caller."""

from collections.abc import Mapping
from typing import Any, Literal

from psycopg2 import extensions

from components.shared.contracts.errors import UserError
from components.shared.store.audit_log import audit, has_served, last_action
from components.shared.store.versions import SELECT, Version, first_of, of_model, version_of

Alias = Literal["champion", "challenger", "previous"]

MIN_DIGITS = 8  # digits of a digest that name a model, if no other begins so


class PromotionConflictError(UserError):
    """Another model became champion in the meantime."""


def of_alias(cursor: extensions.cursor, dataset: str, alias: str) -> Version | None:
    """Return the version of an alias, or None.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
        alias: `champion`, `challenger` or `previous`; any other name has no version.
    """
    cursor.execute(
        f"{SELECT} JOIN registry.aliases USING (dataset, version)"
        " WHERE dataset = %s AND alias = %s",
        (dataset, alias),
    )
    return first_of(cursor)


def named(cursor: extensions.cursor, dataset: str, name: str) -> Version:
    """Return the version of an alias, a digest, or a prefix of one.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
        name: Alias, digest, or its first `MIN_DIGITS` digits or more.

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


def point(cursor: extensions.cursor, alias: Alias, version: Version) -> None:
    """Set an alias to a version.

    Args:
        cursor: Cursor in a transaction of the caller.
        alias: `champion`, `challenger` or `previous`.
        version: A registered version.
    """
    cursor.execute(
        "INSERT INTO registry.aliases (dataset, alias, version) VALUES (%s, %s, %s)"
        " ON CONFLICT (dataset, alias) DO UPDATE SET version = excluded.version",
        (version.dataset, alias, version.version),
    )


def remove(cursor: extensions.cursor, alias: Alias, version: Version) -> None:
    """Remove an alias from a version, if the version has it.

    Args:
        cursor: Cursor in a transaction of the caller.
        alias: `champion`, `challenger` or `previous`.
        version: A registered version.
    """
    cursor.execute(
        "DELETE FROM registry.aliases WHERE dataset = %s AND alias = %s AND version = %s",
        (version.dataset, alias, version.version),
    )


def check_champion(dataset: str, champion: Version | None, expected: str | None) -> None:
    """Raise if the champion is not the one that the caller read.

    Args:
        dataset: Name of the dataset.
        champion: The champion now; None if there is none.
        expected: Digest of the champion that the caller read; None if there was none.

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
    """Replace a champion by `before`, with all aliases as they were then.

    Args:
        cursor: Cursor in a transaction of the caller.
        version: The champion that does not serve.
        before: The champion before it.
        detail: Facts for the audit log, as JSON.
    """
    audit(cursor, version, "stepped_back", detail)
    point(cursor, "champion", before)
    remove(cursor, "previous", before)
    _, promotion = last_action(cursor, before, "promoted", "restored")
    previous = of_model(cursor, version.dataset, promotion.get("instead_of") or "")
    if previous and has_served(cursor, previous):
        point(cursor, "previous", previous)
