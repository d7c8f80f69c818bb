"""Rollouts on one machine: servers that are revived, clients, rollback and history."""

import sys
import time
from contextlib import closing

import pytest

from components.promotion.deploy_model.server import ServerTarget
from components.shared.contracts.errors import OutageError, UserError
from components.shared.inference.package_store import PackageStore, TrafficLease
from pipelines.local import commands
from pipelines.local.clients import Clients
from pipelines.local.local_stack import _agree
from pipelines.local.processes import EmbeddedServiceError, Revived
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))


def test_a_child_that_may_die_comes_back_and_is_stopped_in_the_end(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = Revived("the dying", command, tmp_path / "log")
    first = child.process
    first.kill()
    first.wait()

    child.must_run()
    second = child.process
    child.stop()

    assert second.pid != first.pid
    assert second.poll() is not None


def test_a_child_that_ends_before_it_is_ready_for_the_first_time_is_told_at_once(tmp_path):
    child = Revived("the misled", [sys.executable, "-c", "exit('no key')"], tmp_path / "log")

    with pytest.raises(EmbeddedServiceError, match="the misled ended with 1: no key"):
        child.wait_until(lambda: False)


def test_a_child_that_dies_at_once_is_not_started_again_and_again(tmp_path):
    child = Revived("the doomed", [sys.executable, "-c", "1"], tmp_path / "log")
    started = set()
    for _ in range(20):
        child.process.wait()
        child.must_run()
        started.add(child.process.pid)

    assert len(started) == 1


def test_clients_ask_only_while_a_candidate_is_on_trial(front_door, tiny_package):
    dataset, package_store = "clients", PackageStore(front_door.package_store.root)
    model = front_door.put(tiny_package(dataset=dataset), dataset)
    with closing(ServerTarget(*front_door.addresses, package_store, 10)) as target:
        target.serve(dataset, model)
    shares = []
    with Clients(front_door.url, dataset, [JPEG], shares.append) as clients:
        while not shares:
            time.sleep(0.01)
        before = sum(clients.statuses.values())
        package_store.set_current(dataset, model, "candidate")
        package_store.set_traffic(
            dataset, TrafficLease(percent=5, model=model, until=time.time() + 60)
        )
        while sum(clients.statuses.values()) < 3:
            time.sleep(0.01)

    assert before == 0
    assert set(clients.statuses) == {200}
    assert clients.summary.endswith("client requests, 0 failed")
    assert {0, 5} == set(shares)
    package_store.set_current(dataset, None, "candidate")


@pytest.mark.parametrize("where", ["a server", "nothing"])
def test_clients_want_a_front_door(server, where):
    url = server.url if where == "a server" else "http://127.0.0.1:9"

    with pytest.raises(OutageError, match="no reverse proxy answers at DETECTOR_URL"):
        Clients(url, "clients", [JPEG]).__enter__()


def test_clients_look_a_last_time_when_it_is_over(front_door):
    shares = []
    with Clients(front_door.url, "nobody", [JPEG], shares.append):
        pass

    assert shares[-1:] == [0]


def test_a_home_that_comes_up_ends_the_trial_that_a_killed_one_left(registry, champion, tmp_path):
    package_store = PackageStore(tmp_path / "models")
    package_store.package("drilled", champion.model).mkdir(parents=True)
    package_store.set_current("drilled", "e" * 64)
    package_store.set_current("drilled", "f" * 64, "candidate")
    package_store.set_traffic(
        "drilled", TrafficLease(percent=25, model="f" * 64, until=time.time() + 60)
    )

    _agree(package_store, registry)

    assert package_store.current("drilled") == champion.model
    assert package_store.current("drilled", "candidate") is None
    assert package_store.share("drilled") is None


def test_the_history_tells_versions_names_and_reasons(
    registry, champion, database, monkeypatch, capsys
):
    monkeypatch.setenv("DATABASE_URL", database)
    registry.roll_back(champion, "it was slow", {}, verdict=True)

    assert commands.history("drilled") == 0

    told = capsys.readouterr().out
    assert f"1  {champion.model[:12]}  mAP50 0.500  champion" in told
    for words in ("registered", "it is better", "promoted", "first champion", "it was slow"):
        assert words in told


def test_going_back_is_deploying_what_served_before(monkeypatch):
    asked = []
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(commands, "run", lambda *words: asked.append(words) or 0)

    commands.rollback("drilled")

    assert asked == [("deploy", {"dataset": "drilled", "model": "previous"})]


def test_going_back_here_leaves_the_registry_of_a_cluster_alone(
    registry, champion, database, monkeypatch
):
    monkeypatch.setenv("DATABASE_URL", database)
    for name in ("DETECTOR_URL", "DETECTOR_TARGET"):
        monkeypatch.delenv(name, raising=False)
    before = registry.history("drilled")

    with pytest.raises(UserError, match="expected KFP_HOST or --host"):
        commands.rollback("drilled")
    assert registry.history("drilled") == before
