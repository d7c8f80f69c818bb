"""Define API keys of the gateway: roles, limits, and the text that a client sends."""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import Field

from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record, make
from components.shared.contracts.values import Instant, Key, Name, Sha256

Role = Literal["camera", "client", "reviewer", "approver", "admin"]
ROLES: tuple[Role, ...] = ("camera", "client", "reviewer", "approver", "admin")

PREFIX = "cars"
ID_BYTES, SECRET_BYTES = 6, 32
MAX_KEY_CHARACTERS = 200


class ApiKey(Record):
    """One API key as it is stored: its secret is not in it, only the digest of the secret."""

    key_id: str = Field(description="public part of the key, 12 hexadecimal digits")
    name: Key = Field(description="camera, program or person that uses it")
    roles: tuple[Role, ...] = Field(min_length=1, description="what it may do")
    datasets: tuple[Name, ...] = Field(default=(), description="where; empty: everywhere")
    secret_sha256: Sha256 = Field(description="SHA-256 of the secret")
    requests_per_minute: int = Field(default=600, ge=1, le=1_000_000)
    max_body_bytes: int = Field(default=64_000_000, ge=1, le=64_000_000, description="of a request")
    created_at: Instant
    expires_at: Instant | None = Field(default=None, description="None: it does not expire")
    revoked_at: Instant | None = None

    def accepts(self, secret: str) -> bool:
        """Return whether a secret is that of the key, in constant time."""
        return hmac.compare_digest(self.secret_sha256, digest_of_secret(secret))

    def is_valid(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Credentials(NamedTuple):
    """The two parts of a key that a client sends."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        """Return the text of the key."""
        return f"{PREFIX}_{self.key_id}_{self.secret}"


def new_key(
    name: str,
    roles: tuple[Role, ...],
    now: datetime,
    *,
    datasets: tuple[str, ...] = (),
    expires_at: datetime | None = None,
    **limits: int,
) -> tuple[ApiKey, Credentials]:
    """Return a new key, and the text that is shown once.

    Args:
        name: Camera, program or person that uses it.
        roles: What it may do.
        now: Time of its creation.
        datasets: Datasets that it may use; empty: all.
        expires_at: From when on it is refused; None: never.
        limits: `requests_per_minute` and `max_body_bytes`.

    Raises:
        RecordError: If a value is not allowed.
    """
    given = Credentials(secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES))
    key = make(
        ApiKey, "API key", key_id=given.key_id, name=name, roles=roles, datasets=datasets,
        secret_sha256=digest_of_secret(given.secret), created_at=now, expires_at=expires_at,
        **limits,
    )  # fmt: skip
    return key, given


def read_credentials(text: str) -> Credentials:
    """Parse the text of a key.

    Raises:
        UserError: If it has another form; the text is not repeated.
    """
    parts = text.strip().split("_") if len(text) <= MAX_KEY_CHARACTERS else []
    if len(parts) != 3 or parts[0] != PREFIX or not text.isascii():
        raise UserError(f"the API key has another form than {PREFIX}_<id>_<secret>")
    return Credentials(parts[1], parts[2])


def digest_of_secret(secret: str) -> str:
    """Return the SHA-256 of a secret; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
