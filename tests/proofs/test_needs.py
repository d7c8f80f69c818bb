"""A proof that cannot run here says what it needs."""

import pytest

from components.shared.store.stream import producer
from tests.proofs.needs import (
    need_cluster,
    need_docker,
    need_file,
    need_free_topics,
    need_images,
    need_java,
    need_memory_limits,
    need_program,
)


@pytest.fixture
def said(capsys):
    def said(need, *names):
        with pytest.raises(SystemExit) as end:
            need(*names)
        assert end.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return said


def test_without_a_cluster_the_variables_to_set_are_named(said, monkeypatch):
    for name in ("KUBECONFIG", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)

    line = said(need_cluster, "AWS_ENDPOINT_URL")

    assert line == "this proof needs a cluster: set KUBECONFIG, AWS_ENDPOINT_URL"


def test_a_file_that_leads_to_no_cluster_is_named(said, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    assert f"KUBECONFIG is {tmp_path}/config, which leads to no cluster" in said(need_cluster)


def test_without_docker_it_is_docker_that_is_needed(said, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    assert "needs Docker, which does not answer" in said(need_docker)


def test_without_images_it_is_their_folder_that_is_to_be_set(said, tmp_path):
    assert said(need_images, "") == "this proof needs labelled images: set DATA to their folder"
    assert said(need_images, f"{tmp_path}/cars").startswith(f"DATA is {tmp_path}/cars, which is no")


def test_who_may_not_limit_memory_is_told_who_may(said, monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 1000)

    assert said(need_memory_limits).startswith("this proof limits the memory of processes: run it")


def test_a_program_that_is_missing_is_named_with_the_version_that_is_expected(said):
    assert said(need_program, "no-such-kubectl", "1.24 or later") == (
        "this proof needs no-such-kubectl, which is not on PATH; expected 1.24 or later"
    )


def test_a_file_that_is_missing_is_named_with_what_it_is(said, tmp_path):
    line = said(need_file, tmp_path / "validate", "the offline validator")

    assert line == f"this proof needs the offline validator; {tmp_path}/validate is not there"


def test_without_java_it_is_java_and_maven_that_are_needed_or_a_cluster(
    said, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    line = said(need_java)

    assert line.startswith(
        "skipped: this proof starts Kafka brokers and needs Java 17 or later and"
    )
    assert line.endswith("or set KAFKA_BOOTSTRAP_SERVERS to a cluster to try things on")


def test_a_cluster_that_has_the_topics_already_is_not_tried_things_on(said, stream):
    with producer(stream) as out:
        out.send("frames", b"?")

    assert "has a topic frames, which this proof would delete" in said(need_free_topics, stream)
