"""The canary failure drill: its copy of the champion, the kill, and when it fails."""

import sys

import pytest

from components.promotion.deploy_model.packages import registered
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageInfo, PackageLayout
from components.shared.inference.detector import Detector
from components.shared.inference.signature import check_signature, make_keys
from components.shared.store.objects import Objects
from pipelines.local.canary_failure_drill import REASON, Killer, _with_outcome, copied, drill
from pipelines.local.clients import Clients
from pipelines.local.local_stack import LocalStack
from pipelines.local.processes import Revived
from pipelines.local.run import LocalRun, LocalTask
from tests.proofs.rollout.faults import Fault
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))


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


FAILED = "aaaaaaaaaaaa rolled back: at 25 %: 9 of 40 requests failed, expected at most 1%"


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
