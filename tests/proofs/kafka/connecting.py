"""Scenarios of connecting: users, certificates and rights, and one sentence for what is wrong."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from confluent_kafka.admin import AclOperation, ResourceType

from components.shared.contracts.events import FRAMES_TOPIC, PREDICTIONS_TOPIC, TOPICS
from tests.proofs.kafka.certificates import Authority
from tests.proofs.kafka.events import labels, prediction, send
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, holds
from tests.support.ingester_process import ROOT, Ingester
from tests.support.waiting import await_true

USER, PASSWORD = "car-ingest", "right-password"
KAFKA_USER = ROOT / "manifests/components/kafka-users/kafkauser-ingest.yaml"
SOON_S = 120.0
UNREADY_S = 150.0  # longer than the bound after which a missing topic makes it unready

Environment = Mapping[str, str]


def let_in(place: Place) -> Iterator[Check]:
    """A user with SCRAM over TLS and one with a certificate read what the manifest allows."""
    _prepare(place)
    place.admin.allow(f"CN={USER}", _rights())
    for name, environment in (("SCRAM", _scram(place)), ("certificate", _certificate(place))):
        send(place.servers, labels(100, name.lower()))
        code = place.ingester("--until-caught-up", environment=environment).ends_within(SOON_S)
        yield equal(f"until caught up with {name}, exit code", code, 0)
        stored = place.lake.events(name.lower())
        yield equal(f"100 events read by a user with {name}, stored", stored, 100)


def kept_out(place: Place) -> Iterator[Check]:
    """Each fault of a connection has a sentence of its own; the service waits, and is not ready."""
    _prepare(place)
    faults = _faults(place)
    started = {
        name: place.ingester(environment=environment) for name, (environment, _) in faults.items()
    }
    end = time.monotonic() + UNREADY_S
    for name, (_, words) in faults.items():
        yield _complains(name, started[name], words, end)


def _complains(name: str, ingester: Ingester, words: str, end: float) -> Check:
    line = ingester.await_line(words, end - time.monotonic())
    said = line or next(reversed(ingester.output.strip().splitlines()), "nothing")
    traced = bool(ingester.lines("Traceback"))
    unready = await_true(lambda: ingester.status() != 200, end - time.monotonic())
    good = bool(line) and not traced and unready
    expected = f"{words!r} in one line, no traceback, not ready"
    state = f"probe {ingester.status()}" if ingester.runs else "ended"
    figure = f"{said[:90]}; {state}{'; traceback' if traced else ''}"
    return holds(name, figure, expected, good)


def _faults(place: Place) -> dict[str, tuple[Environment, str]]:
    stranger = Authority(place.folder / "stranger", "another CA").certificate
    scram, own = _scram(place), place.own
    expired = own.authority.issue(USER, expired=True)
    plain = {"KAFKA_BOOTSTRAP_SERVERS": own.servers("PLAIN")}
    return {
        "wrong password": ({**scram, "KAFKA_SASL_PASSWORD": "wrong"}, "password is wrong"),
        "unknown authority": ({**scram, "KAFKA_SSL_CA_FILE": str(stranger)}, "authority"),
        "no authority named": ({**scram, "KAFKA_SSL_CA_FILE": ""}, "authority"),
        "file of the authority missing": ({**scram, "KAFKA_SSL_CA_FILE": "/no/ca.crt"}, "no file"),
        "mechanism not offered": (
            {**scram, "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}, "KAFKA_SASL_MECHANISM",
        ),
        "plain against TLS": (
            {**scram, "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, "PROTOCOL is PLAINTEXT",
        ),
        "TLS against plain": ({**scram, **plain}, "PROTOCOL is SASL_SSL"),
        "expired certificate of a broker": (
            {**scram, "KAFKA_BOOTSTRAP_SERVERS": own.servers("EXPIRED")}, "expired",
        ),
        "no client certificate": (
            {**_certificate(place), "KAFKA_SSL_CERT_FILE": "", "KAFKA_SSL_KEY_FILE": ""},
            "certificate of the client",
        ),
        "expired client certificate": (_certificate(place, expired), "certificate of the client"),
        "nobody listens": ({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}, "connection refused"),
        "address without a port": ({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1"}, "port"),
    }  # fmt: skip


def missing_topic(place: Place) -> Iterator[Check]:
    """A topic that does not exist is named; the other one is read, and it as soon as it is made."""
    place.admin.delete([PREDICTIONS_TOPIC])
    yield from _one_of_two(place, {})
    place.admin.create([PREDICTIONS_TOPIC])
    yield from _reads_both(place, "once the topic is made")


def missing_right(place: Place) -> Iterator[Check]:
    """A topic that may not be read is named; the other one is read, and it once it may be."""
    _prepare(place, FRAMES_TOPIC)
    yield from _one_of_two(place, _scram(place))
    place.admin.allow(USER, _rights(PREDICTIONS_TOPIC))
    yield from _reads_both(place, "once it may be read")


def _one_of_two(place: Place, environment: Environment) -> Iterator[Check]:
    send(place.servers, labels(100))
    ingester = place.ingester(environment=environment)
    stored = place.lake.await_events(100, SOON_S)
    yield equal("of 100 events of the other topic stored", stored, 100)
    line = ingester.await_line(rf"{PREDICTIONS_TOPIC}.*(exist|missing|right|allowed|may)", SOON_S)
    yield holds("the topic is named", line[:110] or "nothing", "a line", bool(line))
    unready = await_true(lambda: ingester.status() == 503, UNREADY_S)
    yield equal("readiness turns to 503", unready, True)
    yield equal("liveness stays", ingester.status("livenessProbe"), 200)
    once = place.ingester("--until-caught-up", environment=environment)
    code = once.ends_within(SOON_S)
    yield holds("--until-caught-up, exit code", code, "not 0", code not in (0, None))
    said = once.lines(PREDICTIONS_TOPIC)
    yield holds("its last word", said[-1][:110] if said else "nothing", "a sentence", bool(said))


def _reads_both(place: Place, when: str) -> Iterator[Check]:
    send(place.servers, map(prediction, range(50)))
    stored = place.lake.await_events(150, SOON_S)
    yield equal(f"{when}, of 150 events stored", stored, 150)
    ingester = place.started[0]
    ready = await_true(lambda: ingester.status() == 200, SOON_S)
    yield equal(f"{when}, readiness turns to 200", ready, True)


def _prepare(place: Place, *topics: str) -> None:
    place.admin.add_user(USER, PASSWORD)
    place.admin.forbid(USER)
    place.admin.allow(USER, _rights(*topics))


def _rights(*topics: str) -> list[tuple[ResourceType, str, AclOperation]]:
    """Return what the manifest allows, on the topics named here alone."""
    manifest = yaml.safe_load(KAFKA_USER.read_text())
    return [
        (ResourceType[rule["resource"]["type"].upper()], rule["resource"]["name"], operation)
        for rule in manifest["spec"]["authorization"]["acls"]
        for operation in (AclOperation[name.upper()] for name in rule["operations"])
        if rule["resource"]["type"] != "topic" or rule["resource"]["name"] in (topics or TOPICS)
    ]


def _scram(place: Place) -> Environment:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": place.own.servers("SECURE"),
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": PASSWORD,
        "KAFKA_SSL_CA_FILE": str(place.own.authority.certificate),
    }


def _certificate(place: Place, files: tuple[Path, Path] | None = None) -> Environment:
    certificate, key = files or place.own.authority.issue(USER)
    return {
        "KAFKA_BOOTSTRAP_SERVERS": place.own.servers("MUTUAL"),
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CA_FILE": str(place.own.authority.certificate),
        "KAFKA_SSL_CERT_FILE": str(certificate),
        "KAFKA_SSL_KEY_FILE": str(key),
    }
