"""Explain why a connection to Kafka brokers failed, in one sentence.

kafka-python raises the same timeout whatever the cause, and loses what a broker answers just
before it closes the connection. So the SASL handshake is tried again.
"""

import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from typing import Any

# Lines that are logged when a connection ends, for whatever cause: any other line says more.
VAGUE = ("socket disconnected", "timed out", "not ready; waiting", "Unable to bootstrap")

# Parts of a log line of kafka-python 3.0 or OpenSSL 3, and what they mean; specific ones first.
NO_TLS = "it does not speak TLS there, but KAFKA_SECURITY_PROTOCOL is {security_protocol}"
TLS = "it speaks TLS there, but KAFKA_SECURITY_PROTOCOL is {security_protocol}"
WRONG_USER = (
    "the user {sasl_plain_username!r} or its password is wrong "
    "(KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, {sasl_mechanism})"
)
NO_MECHANISM = "it does not offer KAFKA_SASL_MECHANISM {sasl_mechanism}"
NO_SASL = "it asks for no user there, but KAFKA_SECURITY_PROTOCOL is {security_protocol}"
MORE = "it asks for TLS or a user there, but KAFKA_SECURITY_PROTOCOL is {security_protocol}"
SASL = "it asks for a user there, but KAFKA_SECURITY_PROTOCOL is {security_protocol}"
NOT_PEM = "KAFKA_SSL_CA_FILE, _CERT_FILE or _KEY_FILE holds no certificate or key (PEM)"
SIGNS = {
    "SaslAuthenticationFailed": WRONG_USER,
    "UnsupportedSaslMechanism": NO_MECHANISM,
    "IllegalSaslState": NO_SASL,
    "Invalid frame length": TLS,
    "certificate has expired": "the broker's certificate has expired",
    "not yet valid": "the broker's certificate is not valid yet: compare the clocks",
    "Hostname mismatch": "the broker's certificate is for another host name",
    "IP address mismatch": "the broker's certificate is for another address",
    "CERTIFICATE_VERIFY_FAILED": "the broker's certificate is signed by an authority that is "
    "not known here: KAFKA_SSL_CA_FILE must be its file",
    "NO_CERTIFICATE_OR_CRL_FOUND": NOT_PEM,
    "PEM lib": NOT_PEM,
    "certificate required": "it wants a certificate of the client: KAFKA_SSL_CERT_FILE and "
    "KAFKA_SSL_KEY_FILE",
    "handshake failure": "it wants a certificate of the client: KAFKA_SSL_CERT_FILE and "
    "KAFKA_SSL_KEY_FILE",
    "alert": "it refuses the certificate of the client: KAFKA_SSL_CERT_FILE",
    "UNEXPECTED_EOF": NO_TLS,
    "WRONG_VERSION_NUMBER": NO_TLS,
    "Handshake failed: [Errno": NO_TLS,
    "'MetadataRequest'": "it is the address of a controller, expected a broker's",
    "DNS": "the host name is not known",
    "ECONNREFUSED": "connection refused",
}
SASL_HANDSHAKE, UNSUPPORTED_MECHANISM = 17, 33  # numbers of Kafka's protocol
PROBE_S = 5.0


def explain(log: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Return why no connection could be made.

    Args:
        log: Log lines of kafka-python during the attempt.
        settings: Of the client, as `brokers.client_settings` makes them.

    >>> explain(["Connection failed: KafkaConnectionError: 111 ECONNREFUSED"], {})
    'connection refused'
    """
    telling = [line for line in log if not any(vague in line for vague in VAGUE)]
    text = "\n".join(telling)
    for sign, sentence in SIGNS.items():
        if sign in text:
            return sentence.format(**settings)
    if telling:
        return telling[-1].removeprefix("Connection failed: ")
    if any("socket disconnected" in line for line in log):
        return _why_closed(settings).format(**settings)
    return "no answer in time"


def _why_closed(settings: Mapping[str, Any]) -> str:
    if not settings["security_protocol"].startswith("SASL_"):
        return MORE if settings["security_protocol"] == "PLAINTEXT" else SASL
    try:
        return NO_MECHANISM if _handshake(settings) == UNSUPPORTED_MECHANISM else WRONG_USER
    except (OSError, struct.error):
        return TLS if settings["security_protocol"] == "SASL_PLAINTEXT" else WRONG_USER


def _handshake(settings: Mapping[str, Any]) -> int:
    """Return the error code of a broker's answer to a SaslHandshakeRequest, version 1."""
    host, _, port = settings["bootstrap_servers"][0].rpartition(":")
    mechanism = settings["sasl_mechanism"].encode()
    body = struct.pack(">hhihh", SASL_HANDSHAKE, 1, 1, -1, len(mechanism)) + mechanism
    with (
        socket.create_connection((host.strip("[]"), int(port)), PROBE_S) as plain,
        _wrapped(plain, host, settings) as connection,
    ):
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = connection.recv(10)
    (error,) = struct.unpack(">h", answer[8:])
    return int(error)


def _wrapped(plain: socket.socket, host: str, settings: Mapping[str, Any]) -> socket.socket:
    if settings["security_protocol"] != "SASL_SSL":
        return plain
    context = ssl.create_default_context(cafile=settings.get("ssl_cafile"))
    return context.wrap_socket(plain, server_hostname=host)
