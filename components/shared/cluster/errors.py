"""Errors of the Kubernetes API server, with the object and the reason in the message."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from kubernetes import client

from components.shared.contracts.errors import OutageError


class ClusterError(OutageError):
    """The API server does not answer, or does not do what it is asked.

    Attributes:
        status: The HTTP status of its answer; None if it gave none.
    """

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


class ConflictError(ClusterError):
    """The object was changed, created or deleted by someone else meanwhile."""


def _reason(error: client.ApiException) -> str:
    """Return the message of the API server's Status, or the beginning of the response."""
    body = str(error.body or error.reason)
    try:
        return str(json.loads(body)["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return body[:300]


@contextmanager
def cluster_errors(thing: str) -> Iterator[None]:
    """Turn errors of the client library into ClusterError with the object and the reason.

    A 404 is such an error too; a caller that expects it reads its `status`.

    Args:
        thing: The object or request, for the message.
    """
    try:
        yield
    except client.ApiException as error:
        kind = ConflictError if error.status == 409 else ClusterError
        sentence = f"{thing}: the API server says {error.status}: {_reason(error)}"
        raise kind(sentence, error.status) from error
    except urllib3.exceptions.HTTPError as error:
        raise ClusterError(f"{thing}: no API server answers: {str(error)[:200]}") from error
