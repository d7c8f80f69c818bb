"""Connections to real TLS servers, with certificates of several faults."""

import datetime
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.shared.store import brokers
from components.shared.store.brokers import StreamError, StreamSettingsError
from components.shared.store.connection_errors import explain

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
SASL = {
    "security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_plain_username": "camera",
}  # fmt: skip


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(brokers, "CONNECT_MS", 300)
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SSL")


@contextmanager
def tls_server(folder, host="localhost", until=NOW + DAY):
    """Run a server with a certificate that it signed itself; yields its port and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = folder / "server.pem"
    private = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, *private))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, context), daemon=True).start()
        yield listener.getsockname()[1], file


def _serve(listener, context):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()


def reason(port: int) -> str:
    with pytest.raises(StreamError) as refusal:
        brokers.admin(f"localhost:{port}")
    return str(refusal.value).partition(f"localhost:{port}: ")[2]


def test_an_expired_certificate(tmp_path, monkeypatch):
    with tls_server(tmp_path, until=NOW - DAY) as (port, file):
        monkeypatch.setenv("KAFKA_SSL_CA_FILE", str(file))

        assert reason(port) == "the broker's certificate has expired"


def test_an_unknown_authority(tmp_path):
    with tls_server(tmp_path) as (port, _):
        assert reason(port).startswith("the broker's certificate is signed by an authority that")


def test_a_certificate_for_another_host(tmp_path, monkeypatch):
    with tls_server(tmp_path, host="kafka.example") as (port, file):
        monkeypatch.setenv("KAFKA_SSL_CA_FILE", str(file))

        assert reason(port) == "the broker's certificate is for another host name"


def test_tls_where_there_is_none(stream):
    port = int(stream.rpartition(":")[2])

    assert reason(port).startswith("it does not speak TLS there")


def test_a_file_that_is_not_there(monkeypatch):
    monkeypatch.setenv("KAFKA_SSL_CA_FILE", "/no/such.pem")

    with pytest.raises(StreamError, match=r"KAFKA_SSL_CA_FILE: there is no file /no/such\.pem"):
        brokers.admin("localhost:9092")


@pytest.mark.parametrize("servers", ["kafka", "kafka:9092,other", "", ":9092"])
def test_an_address_without_a_port_is_refused(servers):
    with pytest.raises(StreamSettingsError, match="has no port"):
        brokers.addresses(servers)


def test_a_certificate_of_the_client_needs_its_key():
    with pytest.raises(StreamSettingsError, match="belong together"):
        brokers.security({"KAFKA_SSL_CERT_FILE": "/user.crt"})


# Lines as kafka-python 3.0.12 logged them in front of Kafka 4.4.0.
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[Error 58] SaslAuthenticationFailedError: ...", "the user 'camera' or its password"),
        ("SaslHandshake failed: UnsupportedSaslMechanismError", "does not offer KAFKA_SASL_MECH"),
        ("failed: [Error 34] IllegalSaslStateError", "it asks for no user there"),
        ("InvalidReceiveError: Invalid frame length: 352518912", "it speaks TLS there"),
        ("KafkaConnectionError: DNS Resolution failure", "the host name is not known"),
        ("does not support the 'MetadataRequest' Kafka protocol.", "the address of a controller"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", "it wants"),
    ],
)
def test_kafka_python_3_logs_the_reason(line, expected):
    vague = "Connection lost: KafkaConnectionError: socket disconnected"

    assert expected in explain([vague, line, vague], SASL)


def test_an_unknown_line_is_passed_on():
    assert explain(["Connection failed: something new"], SASL) == "something new"
