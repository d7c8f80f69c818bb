"""Read the settings of Kafka clients from the environment, and connect admin clients."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.protocol.metadata import ApiVersionsRequest

from components.shared.contracts.errors import OutageError, UserError
from components.shared.store.connection_errors import explain

# Clients and brokers agree on versions by themselves. librdkafka's mock cluster answers this
# request with an error that kafka-python 3.0 cannot read if it is newer than version 2.
ApiVersionsRequest.max_version = 2

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
FILES = {"CA": "ssl_cafile", "CERT": "ssl_certfile", "KEY": "ssl_keyfile"}
CONNECT_MS = 15_000
ANSWER_MS = 10_000  # to one question about the cluster: an outage is noticed so fast


class StreamError(OutageError):
    """Kafka cannot be reached, or a message was not delivered."""


class StreamSettingsError(UserError):
    """The Kafka settings in the environment are invalid."""


def addresses(bootstrap_servers: str) -> list[str]:
    """Return the addresses of `host:port,host:port`.

    Raises:
        StreamSettingsError: If one has no port, for each client would add another one.

    >>> addresses("kafka-0:9092, kafka-1:9092")
    ['kafka-0:9092', 'kafka-1:9092']
    >>> addresses("kafka-0")
    Traceback (most recent call last):
    components.shared.store.brokers.StreamSettingsError: KAFKA_BOOTSTRAP_SERVERS: 'kafka-0' has...
    """
    found = [address.strip() for address in bootstrap_servers.split(",") if address.strip()]
    for address in found or [""]:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise StreamSettingsError(
                f"KAFKA_BOOTSTRAP_SERVERS: {address!r} has no port, expected host:port,host:port"
            )
    return found


def security(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the security settings as keyword arguments of kafka-python.

    Args:
        environment: KAFKA_SECURITY_PROTOCOL is PLAINTEXT (the default), SSL, SASL_PLAINTEXT
            or SASL_SSL. KAFKA_SSL_CA_FILE is the file of the authority that signed the
            brokers' certificates, if the system does not know it; KAFKA_SSL_CERT_FILE and
            KAFKA_SSL_KEY_FILE are a client's own certificate and key (PEM). With SASL,
            KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed, and KAFKA_SASL_MECHANISM
            is SCRAM-SHA-512 unless it is given.

    Raises:
        StreamSettingsError: If the protocol is none of these, or the user is missing.

    >>> security({"KAFKA_SECURITY_PROTOCOL": "SSL"})
    {'security_protocol': 'SSL'}
    >>> security({"KAFKA_SECURITY_PROTOCOL": "TLS"})
    Traceback (most recent call last):
    components.shared.store.brokers.StreamSettingsError: KAFKA_SECURITY_PROTOCOL is 'TLS', ...
    """
    protocol = environment.get("KAFKA_SECURITY_PROTOCOL") or PROTOCOLS[0]
    _one_of("KAFKA_SECURITY_PROTOCOL", protocol, PROTOCOLS)
    settings = {"security_protocol": protocol}
    for name, setting in FILES.items():
        if file := environment.get(f"KAFKA_SSL_{name}_FILE"):
            settings[setting] = file
    if ("ssl_keyfile" in settings) != ("ssl_certfile" in settings):
        raise StreamSettingsError(
            "KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE belong together, but one is not set"
        )
    if protocol.startswith("SASL_"):
        settings["sasl_mechanism"] = environment.get("KAFKA_SASL_MECHANISM") or MECHANISMS[0]
        _one_of("KAFKA_SASL_MECHANISM", settings["sasl_mechanism"], MECHANISMS)
        for name in ("USERNAME", "PASSWORD"):
            if not environment.get(f"KAFKA_SASL_{name}"):
                raise StreamSettingsError(f"{protocol} needs KAFKA_SASL_{name}, which is not set")
            settings[f"sasl_plain_{name.lower()}"] = environment[f"KAFKA_SASL_{name}"]
    return settings


def client_settings(bootstrap_servers: str) -> dict[str, Any]:
    """Return the settings of all clients as keyword arguments of kafka-python."""
    return {
        "bootstrap_servers": addresses(bootstrap_servers),
        "client_id": "car-detection",
        "bootstrap_timeout_ms": CONNECT_MS,
        **security(os.environ),
    }


def admin(bootstrap_servers: str) -> KafkaAdminClient:
    """Connect an admin client.

    Raises:
        StreamError: If no broker answers, or none lets this client in; the sentence says why.
    """
    settings = client_settings(bootstrap_servers)
    _require_files(settings)
    with _reasons() as reasons:
        try:
            return KafkaAdminClient(**settings, request_timeout_ms=ANSWER_MS)
        except KafkaTimeoutError as cause:
            why = explain(reasons, settings)
            raise StreamError(f"no Kafka answers at {bootstrap_servers}: {why}") from cause
        except KafkaError as cause:
            raise StreamError(f"Kafka at {bootstrap_servers}: {cause}") from cause


def _one_of(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise StreamSettingsError(f"{name} is {given!r}, expected one of {', '.join(known)}")


def _require_files(settings: Mapping[str, Any]) -> None:
    for name, setting in FILES.items():
        if setting in settings and not Path(settings[setting]).is_file():
            raise StreamError(f"KAFKA_SSL_{name}_FILE: there is no file {settings[setting]}")


class _Collector(logging.Handler):
    def __init__(self, reasons: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._reasons = reasons

    def emit(self, record: logging.LogRecord) -> None:
        self._reasons.append(record.getMessage())


@contextmanager
def _reasons() -> Iterator[list[str]]:
    # kafka-python raises the same timeout whatever the cause; its log has the cause.
    reasons: list[str] = []
    collector, logger = _Collector(reasons), logging.getLogger("kafka.net")
    logger.addHandler(collector)
    try:
        yield reasons
    finally:
        logger.removeHandler(collector)
