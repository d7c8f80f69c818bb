"""What a proof needs and is not there is said in a sentence, and ends it with 2."""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import docker
import urllib3
from confluent_kafka import KafkaException
from kubernetes import client, config

from components.shared.cluster.client import Cluster, ClusterError, Kind
from components.shared.contracts.events import TOPICS
from tests.proofs.cgroups import above
from tests.proofs.kafka.jars import PROFILES, FetchError, jars, missing
from tests.support.kafka_admin import Admin


def need_cluster(*more: str) -> None:
    """Let clients speak to the cluster that KUBECONFIG names; `more` must be set as well."""
    if missing := [name for name in ("KUBECONFIG", *more) if not os.environ.get(name)]:
        _end(f"this proof needs a cluster: set {', '.join(missing)}")
    try:
        config.load_kube_config(os.environ["KUBECONFIG"])
        client.VersionApi().get_code(_request_timeout=30)
    except (config.ConfigException, client.ApiException, urllib3.exceptions.HTTPError) as cause:
        _end(f"KUBECONFIG is {os.environ['KUBECONFIG']}, which leads to no cluster: {cause}")


def need_definition(kind: Kind) -> None:
    """See that the cluster knows a kind of custom resource; after `need_cluster`."""
    try:
        known = Cluster(client.ApiClient(), "default").serves(kind)
    except ClusterError as cause:
        _end(str(cause))
    if not known:
        _end(f"this proof needs a cluster that knows {kind.plural}.{kind.group}: install it")


def need_docker() -> None:
    """See that Docker answers."""
    try:
        docker.from_env().ping()
    except docker.errors.DockerException as cause:
        _end(f"this proof needs Docker, which does not answer: {cause}")


def need_images(data: str) -> None:
    """See that `data` is a folder."""
    if not data:
        _end("this proof needs labelled images: set DATA to their folder")
    if not Path(data).is_dir():
        _end(f"DATA is {data}, which is no folder of labelled images")


def need_program(name: str, expected: str) -> None:
    """See that a program is on PATH."""
    if not shutil.which(name):
        _end(f"this proof needs {name}, which is not on PATH; expected {expected}")


def need_file(path: Path, what: str) -> None:
    """See that a file is there."""
    if not path.is_file():
        _end(f"this proof needs {what}; {path} is not there")


def need_memory_limits() -> None:
    """See that groups of processes can be limited in memory."""
    if os.getuid() or not os.access(above(), os.W_OK):
        _end(f"this proof limits the memory of processes: run it as root, who may write {above()}")


def need_java() -> None:
    """See that Kafka brokers can be started here."""
    if lacking := missing():
        _end(
            f"skipped: this proof starts Kafka brokers and needs {lacking}; "
            "or set KAFKA_BOOTSTRAP_SERVERS to a cluster to try things on"
        )
    try:
        for profile in PROFILES:
            jars(profile)
    except FetchError as cause:
        _end(f"skipped: this proof starts Kafka brokers, but {cause}")


def need_free_topics(bootstrap_servers: str) -> None:
    """See that a cluster answers and has none of the topics that the proof makes and deletes."""
    try:
        there = Admin(bootstrap_servers).topics().intersection(TOPICS)
    except KafkaException as cause:
        _end(f"KAFKA_BOOTSTRAP_SERVERS is {bootstrap_servers}, where no Kafka answers: {cause}")
    if there:
        _end(
            f"the Kafka at {bootstrap_servers} has a topic {min(there)}, which this proof would "
            "delete: name a cluster without it"
        )


def _end(sentence: str) -> NoReturn:
    print(" ".join(sentence.split())[:500], file=sys.stderr)
    sys.exit(2)
