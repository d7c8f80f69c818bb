"""The laptop's side of rollouts: who is revived, the drill's copy, clients, rollback, history."""

import sys
import time
from contextlib import closing

import pytest

from components.promotion.deploy_model.packages import registered
from components.promotion.deploy_model.server import ServerTarget
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageInfo, PackageLayout
from components.shared.inference.detector import Detector
from components.shared.inference.package_store import PackageStore, TrafficLease
from components.shared.inference.signature import check_signature, make_keys
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry
from pipelines.local import commands
from pipelines.local.canary_failure_drill import REASON, Killer, _with_outcome, copied, drill
from pipelines.local.clients import Clients
from pipelines.local.local_stack import LocalStack, _agree
from pipelines.local.processes import EmbeddedServiceError, Revived
from pipelines.local.run import LocalRun, LocalTask
from tests.proofs.rollout.faults import Fault
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))


@pytest.fixture
def registry(database):
    with closing(connect(database)) as connection:
        yield Registry(connection)


@pytest.fixture
def champion(registry, object_store, tiny_package):
    """A registered package that serves."""
    package = tiny_package(dataset="drilled")
    model = package.verify().digest
    Objects(object_store).put_folder(f"models/{model}/package", package.root)
    registry.register("drilled", model, "", "0" * 64, {}, {"map50": 0.5}, "it is better")
    return registry.promote("drilled", model, None)


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


def test_the_drills_copy_is_another_model_with_the_same_answers_and_is_signed(
    registry, champion, object_store, tmp_path
):
    objects, keys = Objects(object_store), make_keys(tmp_path / "keys")

    copy = copied(registry, objects, champion, str(keys.private))

    registered(objects, copy)(tmp_path)
    package = PackageLayout(tmp_path / "package")
    version = registry.named("drilled", copy)
    check_signature(package.root, tmp_path / "package.sig", keys.public)
    assert package.verify().digest == copy != champion.model
    assert PackageInfo.read(package.info).lineage.seed == 1
    assert Detector.open(package.root).detect_jpeg(JPEG)
    assert (version.compared_with, version.reason) == (champion.model, REASON)
    assert registry.champion("drilled") == champion


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


def test_the_killer_waits_for_the_share_and_sees_when_it_is_gone(tmp_path):
    child = Revived("the victim", [sys.executable, "-c", "import time; time.sleep(60)"],
                    tmp_path / "log")  # fmt: skip
    killer = Killer(child)
    for percent in (0, 5, 0):
        killer(percent)
    alive = child.process.poll() is None
    killer(25)
    child.process.wait()
    killer(25)
    during = killer.seconds
    killer(0)
    child.stop()

    assert alive
    assert during is None
    assert killer.seconds >= 0


FAILED = "aaaaaaaaaaaa rolled back: at 25 % 9 of 40 requests failed, expected at most 1%"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({}, ""),
        ({"statuses": {200: 80, 502: 1}}, "81 client requests, 1 failed"),
        ({"statuses": {}}, "0 client requests"),
        ({"seconds": None}, "candidate NOT killed"),
        ({"cause": "a rolled back: 80% of the boxes missing"}, "NOT rolled back for"),
        ({"cause": ""}, "failed requests: promoted"),
        ({"serves_on": False}, "champion LOST"),
    ],
    ids=["nothing", "a client", "no client", "no kill", "another guard", "promoted", "lost"],
)  # fmt: skip
def test_a_drill_fails_unless_all_went_as_it_must(tmp_path, wrong, complaint):
    facts = {"statuses": {200: 80}, "seconds": 3.0, "cause": FAILED, "serves_on": True} | wrong
    run = LocalRun(
        "deploy_model", tmp_path, steps=[LocalTask("deploy", "deploy", 0.0)], cause=facts["cause"]
    )
    clients, killer = Clients("http://127.0.0.1:9", "drilled", [JPEG]), Killer(None)
    clients.statuses.update(facts["statuses"])
    killer.seconds = facts["seconds"]

    told = _with_outcome(run, clients, killer, facts["serves_on"])

    assert told.failed == bool(complaint)
    assert complaint in told.cause
    assert told.steps[0].state == ("FAILURE" if complaint else "SUCCESS")


@pytest.mark.parametrize(
    ("least", "said", "most", "met"),
    [
        (25, FAILED, 25, True),
        (25, FAILED, 100, True),
        (25, FAILED, 5, False),
        (25, FAILED.replace("failed", "were slow"), 25, False),
        (25, FAILED.replace("rolled back", "promoted"), 25, False),
        (0, FAILED, 0, True),
        (0, FAILED, 5, False),
    ],
)
def test_the_proof_asks_which_guard_spoke_and_at_what_share(least, said, most, met):
    assert Fault("crashes", "crash", 60, "requests failed", least).is_met(said, most) == met


def test_the_proof_asks_whether_a_slow_candidate_was_held_back():
    slow = Fault("is slow", "slow", 0, "latency ", 0, "not promoted under load")

    assert slow.is_met("a not promoted under load, b stays: latency 1200 ms", 0)
    assert not slow.is_met("a rolled back, b stays: latency 1200 ms", 0)


def test_a_drill_without_pictures_for_its_clients_registers_nothing(
    registry, champion, database, object_store, tmp_path
):
    class Two:
        candidate = None

    stack = LocalStack(
        tmp_path, {"DATABASE_URL": database, "OBJECT_STORE_URL": object_store}, (), Two()
    )

    with pytest.raises(UserError, match="drilled has served no image yet"):
        drill(stack, "drilled", lambda title, line: None)

    assert registry.versions("drilled") == [champion]


@pytest.mark.parametrize("where", ["a server", "nothing"])
def test_clients_want_a_front_door(server, where):
    url = server.url if where == "a server" else "http://127.0.0.1:9"

    with pytest.raises(UserError, match="no reverse proxy answers at DETECTOR_URL"):
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
