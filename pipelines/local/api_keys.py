"""Commands for API keys of the gateway: create, list and revoke."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812

from components.shared.contracts.api_key import ROLES, ApiKey, Role, new_key
from components.shared.store.api_keys import add_key, list_keys, revoke_key

KEPT_FOR_DAYS = 365


def add(commands: Any) -> None:
    """Add the command `keys`.

    Args:
        commands: Subparsers of the command line.
    """
    keys = commands.add_parser(
        "keys", help="create, list and revoke API keys of the gateway",
        description="API keys of the gateway, in DATABASE_URL or in this machine's database.",
    )  # fmt: skip
    verbs = keys.add_subparsers(metavar="VERB", required=True)
    create = verbs.add_parser("create", help="make a key and print it, once")
    create.add_argument("name", help="camera, program or person that uses it")
    create.add_argument("--role", dest="roles", action="append", required=True, choices=ROLES)
    create.add_argument("--dataset", dest="datasets", action="append", default=[],
                        help="the only one it may use; may be repeated (default all)")  # fmt: skip
    create.add_argument("--days", type=int, default=KEPT_FOR_DAYS,
                        help=f"until it expires (default {KEPT_FOR_DAYS})")  # fmt: skip
    create.add_argument("--requests-per-minute", type=int, default=600, help="default 600")
    create.set_defaults(act=_create)
    verbs.add_parser("list", help="all keys, without their secrets").set_defaults(act=_list)
    revoke = verbs.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("key_id", metavar="ID", help="as `keys list` shows it")
    revoke.set_defaults(act=_revoke)


@contextmanager
def _database() -> Iterator[Connection]:
    from components.shared.store.postgres import connect
    from pipelines.local.local_stack import database_url

    with database_url(role=None) as url, closing(connect(url)) as connection:
        yield connection


def _create(options: dict[str, Any]) -> int:
    now = datetime.now(UTC)
    roles: tuple[Role, ...] = tuple(options["roles"])
    key, credentials = new_key(
        options["name"], roles, now, datasets=tuple(options["datasets"]),
        expires_at=now + timedelta(days=options["days"]),
        requests_per_minute=options["requests_per_minute"],
    )  # fmt: skip
    with _database() as connection:
        add_key(connection, key)
    print(credentials)
    return 0


def _list(_: dict[str, Any]) -> int:
    with _database() as connection:
        keys = list_keys(connection)
    from pipelines.local.terminal import Terminal

    Terminal().table(("id", "name", "roles", "datasets", "state"), _rows(keys))
    return 0


def _rows(keys: Sequence[ApiKey]) -> list[tuple[str, ...]]:
    return [
        (key.key_id, key.name, ", ".join(key.roles), ", ".join(key.datasets) or "all", _state(key))
        for key in keys
    ]


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return "valid"
    verb = "valid until" if key.is_valid(datetime.now(UTC)) else "expired"
    return f"{verb} {key.expires_at:%Y-%m-%d}"


def _revoke(options: dict[str, Any]) -> int:
    with _database() as connection:
        key = revoke_key(connection, options["key_id"], datetime.now(UTC))
    print(f"revoked: {key.key_id}, {key.name}")
    return 0
