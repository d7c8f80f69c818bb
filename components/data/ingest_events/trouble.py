"""Classify errors as outages, which are retried, or final ones, and format them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from kafka.errors import (
    CorruptRecordError,
    UnsupportedCodecError,
)
from psycopg2.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from components.shared.contracts import outages
from components.shared.contracts.errors import OutageError
from components.shared.store.objects import StoreError
from components.shared.store.stream import KafkaError

# Errors that end a task, but that the service waits for, since nothing is lost meanwhile: a right
# may be granted, a missing migration applied, and a password mended without a restart.
ALSO_OUTAGES = (
    OutageError,
    psycopg2.OperationalError,
    InsufficientPrivilege,
    KafkaError,
    StoreError,
)
REFUSED = re.compile(
    r"password|authentication failed|certificate|permission denied|403|AccessDenied", re.IGNORECASE
)


def is_outage(error: BaseException) -> bool:
    """Return whether a retry may succeed; False if the environment must be changed first."""
    return outages.is_outage(error) or isinstance(error, ALSO_OUTAGES)


@contextmanager
def outages_as_sentences() -> Iterator[None]:
    """Convert any outage to an `OutageError` with a sentence for the operator of the service."""
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        raise OutageError(sentence(error)) from error


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
