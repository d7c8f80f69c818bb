"""Classify errors as outages, which are retried, or final ones, and format them."""

import re

import psycopg2
from kafka.errors import (
    CorruptRecordError,
    UnsupportedCodecError,
)
from psycopg2.errors import (
    IdleInTransactionSessionTimeout,
    InsufficientPrivilege,
    ReadOnlySqlTransaction,
)

from components.data.ingest_events.presence import StoreFaultError
from components.shared.store.brokers import StreamSettingsError
from components.shared.store.objects import StoreError
from components.shared.store.postgres import SchemaError
from components.shared.store.stream import KafkaError, StreamError

# A broker, database or object store that is away comes back; nothing is lost meanwhile. After
# a failover a connection may still lead to the old primary, which only reads. A missing right
# may be granted, and a missing migration applied, without a restart.
OUTAGES = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    IdleInTransactionSessionTimeout,  # this process was paused
    ReadOnlySqlTransaction,
    InsufficientPrivilege,
    SchemaError,
    KafkaError,
    StreamError,
    StoreError,
    StoreFaultError,
)
REFUSED = re.compile(
    r"password|authentication failed|certificate|permission denied|403|AccessDenied", re.IGNORECASE
)


def is_outage(error: BaseException) -> bool:
    """Return whether a retry may succeed; False if the environment must be changed first."""
    return isinstance(error, OUTAGES) and not isinstance(error, StreamSettingsError)


def is_refused(error: BaseException) -> bool:
    """Return whether credentials or rights were rejected, which a restart may read anew."""
    return is_outage(error) and REFUSED.search(sentence(error)) is not None


def is_final(error: BaseException) -> bool:
    """Return whether an error remains until somebody changes the program or the topic."""
    return isinstance(error, UnsupportedCodecError | CorruptRecordError)


def sentence(error: BaseException) -> str:
    """Return an error as a sentence for the operator of the service."""
    (first, *_) = str(error).strip().splitlines() or [repr(error)]
    if isinstance(error, UnsupportedCodecError):
        return f"a batch is compressed with a codec that is not installed here: {first}"
    if isinstance(error, CorruptRecordError):
        return f"a batch cannot be read, and nothing behind it in its partition: {first}"
    if isinstance(error, ReadOnlySqlTransaction):
        return "DATABASE_URL: the database is read-only, as a standby is"
    if isinstance(error, InsufficientPrivilege):
        return f"DATABASE_URL: {first}"
    if isinstance(error, StoreError):
        return f"OBJECT_STORE_URL: the object store does not answer: {first}"
    if isinstance(error, KafkaError):
        return f"Kafka: {first}"
    return first
