import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components.shared.contracts.errors import UserError
from components.shared.kubeflow import client as module
from components.shared.kubeflow.client import HostError, connect, host_errors
from components.shared.kubeflow.runs import find_run
from tests.standins.kubeflow_pipelines import KubeflowPipelines
from tests.support.kubeflow import forget_settings


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch, tmp_path):
    forget_settings(monkeypatch)
    monkeypatch.setattr("components.shared.kubeflow.token.MOUNTED", tmp_path / "mounted")


@pytest.fixture
def kubeflow():
    with KubeflowPipelines(token="sesame") as host:
        yield host


@pytest.fixture
def token(tmp_path):
    file = tmp_path / "token"
    file.write_text("sesame\n")
    return file


@pytest.mark.parametrize("variable", ["KFP_TOKEN", "KF_PIPELINES_SA_TOKEN_PATH"])
def test_the_token_is_read_from_the_file_that_is_named(kubeflow, token, monkeypatch, variable):
    monkeypatch.setenv(variable, str(token))

    assert find_run(connect(kubeflow.url), "x") is None


def test_the_token_is_read_from_where_it_is_mounted(kubeflow, token, monkeypatch):
    monkeypatch.setattr("components.shared.kubeflow.token.MOUNTED", token.parent)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert find_run(connect(kubeflow.url), "x") is None


def test_a_token_that_is_replaced_is_read_again(kubeflow, token, monkeypatch):
    monkeypatch.setenv("KFP_TOKEN", str(token))
    client = connect(kubeflow.url)
    token.write_text("open")
    kubeflow.token = "open"

    assert find_run(client, "x") is None
    assert kubeflow.tokens == ["Bearer sesame", "Bearer open"]


def test_who_may_not_ask_is_told_so_at_once(kubeflow):
    start = time.monotonic()

    with pytest.raises(HostError, match=r"answers 401: Request header error.*is KFP_TOKEN set"):
        connect(kubeflow.url)
    assert time.monotonic() - start < 3


def test_a_token_in_place_of_a_file_is_refused_and_not_shown(kubeflow, monkeypatch):
    monkeypatch.setenv("KFP_TOKEN", "eyJhbGciOi")

    with pytest.raises(UserError, match="names no file") as refusal:
        connect(kubeflow.url)
    assert "eyJ" not in str(refusal.value)


@pytest.mark.parametrize("host", ["", "kubeflow.example.com", "localhost:8888"])
def test_what_is_no_url_is_refused(host):
    with pytest.raises(UserError, match="expected the URL of Kubeflow Pipelines"):
        connect(host)


def test_a_missing_file_of_certificates_is_refused(kubeflow):
    with pytest.raises(UserError, match=r"certificates nowhere\.pem does not exist"):
        connect(kubeflow.url, ca="nowhere.pem")


def test_a_host_that_is_not_there_is_one_sentence():
    with pytest.raises(HostError, match=r"http://127.0.0.1:1 does not answer") as error:
        connect("http://127.0.0.1:1")
    assert error.value.status == 0


@pytest.mark.parametrize("namespace", ["", "ours"])
def test_a_login_page_is_no_host_without_pipelines(monkeypatch, namespace):
    def page(handler, status, answer):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html; charset=utf-8")
        handler.end_headers()
        handler.wfile.write(b"<html>Please log in</html>")

    monkeypatch.setattr("tests.standins.pipelines_http.Handler._send", page)
    answer = pytest.raises(HostError, match="a page for people, expected JSON")
    with KubeflowPipelines() as kubeflow, answer:
        find_run(connect(kubeflow.url, namespace=namespace), "x")


def test_a_host_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 1)
    release = threading.Event()
    with KubeflowPipelines() as kubeflow:
        client = connect(kubeflow.url)
        kubeflow.before = lambda verb, path: release.wait(20)
        try:
            with pytest.raises(HostError, match="does not answer"), host_errors(kubeflow.url):
                client.terminate_run("x")
        finally:
            release.set()


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that only those trust who are told to, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ours")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    (tmp_path / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(serialization.Encoding.PEM, kind, plain)
    (tmp_path / "key.pem").write_bytes(secret)
    return tmp_path / "ca.pem", tmp_path / "key.pem"


def test_a_certificate_of_ones_own_is_trusted_if_it_is_named(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with KubeflowPipelines() as kubeflow:
        kubeflow._server.use_tls(context)
        url = kubeflow.url.replace("http://", "https://")

        assert find_run(connect(url, ca=str(certificate[0])), "x") is None
        with pytest.raises(HostError, match="certificate verify failed"):
            connect(url)


def test_what_the_sdk_says_is_not_on_stdout(capsys):
    with KubeflowPipelines() as kubeflow, host_errors(kubeflow.url):
        connect(kubeflow.url).create_experiment("x")

    told = capsys.readouterr()
    assert (told.out, "Experiment details" in told.err) == ("", True)
