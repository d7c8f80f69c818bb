import itertools
import shutil
from contextlib import closing

import pytest

from components.contracts.model import PackageError, PackageLayout
from components.contracts.policy import RolloutPolicy
from components.contracts.refusal import Refusal
from components.deploy_model.deploy import deploy
from components.deploy_model.packages import registered
from components.deploy_model.rollout import RolledBack, about
from components.deploy_model.server import ServerTarget
from components.deploy_model.target import Unreachable
from components.inference.shelf import Share
from components.store.objects import Objects
from components.store.postgres import connect
from components.store.registry import PromotionConflict, Registry
from tests.components.inference.tiny import jpeg_of, scene, seal

JPEG = jpeg_of(scene({(1, 2): 0}))
QUICK = RolloutPolicy(
    steps=(0, 5, 100),
    step_seconds=0,
    min_requests=2,
    look_every_s=0,
    max_latency_ratio=50,
    min_boxes=2,
)
numbers = itertools.count()


class Bench:
    """One dataset with its registry, its packages in the object store, and the servers."""

    def __init__(self, connection, objects, door, tiny_package):
        self.dataset = f"bench-{next(numbers)}"
        self.registry = Registry(connection)
        self.objects, self.door, self.tiny_package = objects, door, tiny_package
        self.target = ServerTarget(door.url, door.shelf, ready_seconds=10)

    def register(self, shift=0.0, spoil=None, against=None):
        """Make a package, store it, register it, and return its digest."""
        package = self.tiny_package(dataset=self.dataset, shift=shift)
        if spoil:
            spoil(package)
            seal(package, self.dataset, ("car",))
        model = package.verify().digest
        self.objects.put_folder(f"models/{model}/package", package.root)
        self.registry.register(
            self.dataset, model, self.objects.uri(f"models/{model}"), "0" * 64, {}, {}, "a test",
            compared_with=against,
        )  # fmt: skip
        return model

    def roll_out(self, model, target=None, run=""):
        version = about(self.registry, self.dataset, model, run)
        fetch = registered(self.objects, version.model)
        return deploy(self.registry, target or self.target, version, fetch, [], QUICK, run=run)

    def deploy(self, model, target=None, run=""):
        rollout = self.roll_out(model, target, run)
        assert rollout.model() == self.registry.champion(self.dataset).model
        return rollout

    @property
    def state(self):
        """What serves, what is current on the shelf, who is champion: all should agree."""
        answer = self.target.ask(self.dataset, JPEG, "stable")
        champion = self.registry.champion(self.dataset)
        return (
            answer.model if answer else None,
            self.door.shelf.current(self.dataset),
            champion.model if champion else None,
        )

    @property
    def trial(self):
        """What is left of a trial: nothing should be."""
        shelf, asked = self.door.shelf, self.target.ask(self.dataset, JPEG, "candidate")
        return asked, shelf.current(self.dataset, "candidate"), shelf.share(self.dataset)

    def audit(self):
        return [entry.action for entry in self.registry.history(self.dataset)]


@pytest.fixture
def bench(database, object_store, front_door, tiny_package):
    with closing(connect(database)) as connection:
        bench = Bench(connection, Objects(object_store), front_door, tiny_package)
        with closing(bench.target):
            yield bench


def wrong_answers(package):
    lines = package.golden.read_text().replace('"score":0.96', '"score":0.5')
    package.golden.write_text(lines)


def test_the_first_model_is_served_and_becomes_champion(bench):
    model = bench.register()

    rollout = bench.deploy(model)

    assert bench.state == (model, model, model)
    assert bench.trial == (None, None, None)
    assert rollout.sentence.startswith(f"serving {model[:12]}: 3 golden answers right, ")


def test_a_better_model_takes_over_step_by_step_and_the_old_one_is_remembered(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    rollout = bench.deploy(new)

    assert [look.percent for look in rollout.looks] == [0] * 4 + [5] * 4 + [100] * 4
    assert bench.state == (new, new, new)
    assert bench.trial == (None, None, None)
    assert bench.registry.alias(bench.dataset, "previous").model == old


def test_a_second_time_is_no_work(bench):
    model = bench.register()
    bench.deploy(model)
    audit = bench.audit()

    rollout = bench.deploy(model)

    assert rollout.sentence == f"{model[:12]} serves already"
    assert bench.audit() == audit


def test_a_package_that_does_not_answer_as_it_says_is_sent_back(bench):
    old = bench.register()
    bad = bench.register(shift=2, spoil=wrong_answers, against=old)
    bench.deploy(old)

    rollout = bench.roll_out(bad)

    with pytest.raises(RolledBack, match=f"sent back, {old[:12]} serves on: .*otherwise"):
        rollout.model()
    assert bench.state == (old, old, old)
    assert bench.trial == (None, None, None)


def test_a_model_that_lost_what_the_champion_sees_is_sent_back_and_the_audit_says_why(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)

    rollout = bench.roll_out(blind)

    entry = bench.registry.history(bench.dataset)[-1]
    assert rollout.failed
    assert bench.state == (old, old, old)
    assert (entry.action, entry.model) == ("rolled_back", blind)
    assert "finds" in entry.detail["reason"] or "lacks" in entry.detail["reason"]
    assert [step["percent"] for step in entry.detail["steps"]] == [0]


def test_a_first_model_that_answers_otherwise_leaves_nothing_in_service(bench):
    rollout = bench.roll_out(bench.register(spoil=wrong_answers))

    assert "is sent back, nothing serves" in rollout.sentence
    assert bench.state == (None, None, None)


def test_a_stored_package_with_a_changed_byte_never_reaches_the_server(bench):
    old = bench.register()
    bad = bench.register(shift=2, against=old)
    bench.deploy(old)
    key = f"models/{bad}/package/model.onnx"
    bench.objects.put(key, bench.objects.get(key)[:-1] + b"\0")

    with pytest.raises(PackageError, match=r"model.onnx has digest"):
        bench.roll_out(bad)

    assert bench.state == (old, old, old)


def test_who_was_slower_than_another_gives_way(bench, monkeypatch):
    first = bench.register()
    mine, theirs = (bench.register(shift=shift, against=first) for shift in (1, 2))
    bench.deploy(first)
    begin = bench.target.begin

    def overtaken(dataset, model):
        bench.registry.promote(dataset, theirs, first)
        begin(dataset, model)

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "begin", overtaken)
        with pytest.raises(PromotionConflict):
            bench.roll_out(mine)

    assert bench.registry.champion(bench.dataset).model == theirs
    assert bench.trial == (None, None, None)


def test_of_two_rollouts_of_a_dataset_at_once_the_second_is_refused(bench, database):
    model = bench.register()

    with closing(connect(database)) as connection:
        Registry(connection).claim(bench.dataset)
        with pytest.raises(Refusal, match="is being rolled out: wait for its end"):
            bench.roll_out(model)
        # A server forgets a session some time after it was closed.
        connection.cursor().execute("SELECT pg_advisory_unlock_all()")

    bench.deploy(model)


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing is cleaned up."""


def die(bench, patch, line):
    """Kill what happens next at its line-th call."""
    calls = itertools.count(1)

    def dying(function):
        def wrapper(*arguments, **options):
            if next(calls) == line:
                raise Killed
            return function(*arguments, **options)

        return wrapper

    for place, name in (
        (bench.objects, "get"), (bench.target, "ask"), (bench.target, "_order"),
        (bench.target, "share"), (bench.registry, "promote"), (bench.registry, "step_back"),
        (bench.door.shelf, "point"), (bench.door.shelf, "lend"),
    ):  # fmt: skip
        patch.setattr(place, name, dying(getattr(place, name)))


@pytest.mark.parametrize("line", [4, 9, 10, 11, 12, 22, 28, 33, 34, 35, 36, 37, 38])
def test_killed_anywhere_and_run_again_it_ends_the_same(bench, monkeypatch, line):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    with monkeypatch.context() as patch:
        die(bench, patch, line)
        with pytest.raises(Killed):
            bench.roll_out(new)
    bench.deploy(new)

    assert bench.state == (new, new, new)
    assert bench.trial == (None, None, None)
    assert [version.model for version in bench.registry.versions(bench.dataset)] == [old, new]


@pytest.mark.parametrize("alias", ["previous", "challenger"])
def test_a_run_by_alias_killed_at_any_line_and_tried_again_ends_with_the_model_it_meant(
    bench, monkeypatch, alias
):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    bench.deploy(new)
    for line in itertools.count(1):
        if alias == "challenger":
            bench.registry.register(bench.dataset, old, "", "0" * 64, {}, {}, "again", new)
        meant = bench.registry.named(bench.dataset, alias).model
        with monkeypatch.context() as patch:
            die(bench, patch, line)
            try:
                bench.roll_out(alias, run=f"run-{line}")
            except Killed:
                died = True
            else:
                died = False
        bench.deploy(alias, run=f"run-{line}")
        assert bench.state == (meant, meant, meant)
        assert bench.trial == (None, None, None)
        if not died:
            break
        old, new = new, old

    assert line > 20


def unreachable(*_):
    raise Unreachable("the servers are gone")


@pytest.mark.parametrize("served", [False, True], ids=["a new model", "one that has served"])
def test_a_run_that_is_tried_again_leaves_the_champion_that_another_promoted_since(
    bench, monkeypatch, served
):
    old, mine, theirs = (bench.register(shift=shift) for shift in (0, 1, 2))
    bench.deploy(old)
    for model, champion in ((mine, old), (old, mine)) if served else ():
        bench.registry.promote(bench.dataset, model, champion)
    bench.registry.register(bench.dataset, mine, "", "0" * 64, {}, {}, "better", old)
    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "serve", unreachable)
        with pytest.raises(Unreachable):
            bench.roll_out(mine, run="run-1")
    bench.registry.register(bench.dataset, theirs, "", "0" * 64, {}, {}, "better", mine)
    bench.deploy(theirs, run="run-2")
    audit = bench.audit()

    with pytest.raises(PromotionConflict, match=f"promoted version 2 .* but {theirs[:12]} is in"):
        bench.roll_out(mine, run="run-1")

    assert bench.state == (theirs, theirs, theirs)
    assert bench.audit() == audit


def refusing(bench, model):
    """What a place does in service that refuses one model."""
    serve = bench.target.serve

    def refused(dataset, wanted):
        if wanted == model:
            raise Refusal("the stable server does not load it")
        serve(dataset, wanted)

    return refused


def test_a_model_that_the_stable_server_refuses_has_never_served_and_is_not_previous(
    bench, monkeypatch
):
    oldest = bench.register()
    old, bad = (bench.register(shift=shift, against=oldest) for shift in (1, 2))
    bench.deploy(oldest)
    bench.deploy(old)
    bench.registry.register(bench.dataset, bad, "", "0" * 64, {}, {}, "better", old)
    monkeypatch.setattr(bench.target, "serve", refusing(bench, bad))

    with pytest.raises(Refusal, match="does not load it"):
        bench.roll_out("challenger", run="run-1")
    again = bench.roll_out("challenger", run="run-1")

    assert bench.state == (old, old, old)
    assert bench.audit()[-2:] == ["promoted", "stepped_back"]
    assert not bench.registry.has_served(bench.registry.named(bench.dataset, bad))
    assert bench.registry.alias(bench.dataset, "previous").model == oldest
    assert again.failed
    assert "does not come up in service" in again.sentence


def test_a_place_that_goes_down_after_the_promotion_convicts_nobody(bench, monkeypatch):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    def gone(*_):
        monkeypatch.setattr(bench.target, "tally", unreachable)
        raise Refusal("nothing came of it")

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "serve", gone)
        with pytest.raises(Unreachable):
            bench.roll_out("challenger", run="run-1")
    bench.deploy("challenger", run="run-1")

    assert bench.state == (new, new, new)
    assert "stepped_back" not in bench.audit()


def test_who_is_killed_while_a_model_steps_back_puts_the_champion_in_service_when_tried_again(
    bench, monkeypatch
):
    old = bench.register()
    bad = bench.register(shift=2, against=old)
    bench.deploy(old)

    def dying(dataset, model):
        bench.door.shelf.point(dataset, model)
        if model == old:
            raise Killed
        raise Refusal("the stable server does not load it")

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "serve", dying)
        with pytest.raises(Killed):
            bench.roll_out(bad, run="run-1")
    bench.door.shelf.point(bench.dataset, bad)

    assert bench.roll_out(bad, run="run-1").failed
    assert bench.state == (old, old, old)


def test_who_is_stopped_just_after_the_promotion_puts_the_promoted_model_in_service(
    bench, monkeypatch
):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    promote = bench.registry.promote

    def stopped(*arguments):
        promote(*arguments)
        raise SystemExit("stopped by SIGTERM")

    monkeypatch.setattr(bench.registry, "promote", stopped)
    with pytest.raises(SystemExit, match="SIGTERM"):
        bench.roll_out(new)

    assert bench.state == (new, new, new)
    assert bench.trial == (None, None, None)
    assert bench.audit()[-1] == "promoted"


@pytest.mark.parametrize("cause", [KeyboardInterrupt, SystemExit("stopped by SIGTERM"), OSError])
def test_who_is_interrupted_puts_the_champion_back_first(bench, monkeypatch, cause):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    def interrupted(*_):
        raise cause

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "share", interrupted)
        with pytest.raises(type(cause) if isinstance(cause, SystemExit) else cause):
            bench.roll_out(new)

    assert bench.state == (old, old, old)
    assert bench.trial == (None, None, None)
    assert bench.audit()[-1] == "rolled_back"


def test_a_run_that_is_tried_again_does_not_try_what_it_sent_back(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)
    first = bench.roll_out(blind, run="run-1")
    audit = bench.audit()

    again = bench.roll_out(blind, run="run-1")
    other = bench.roll_out(blind, run="run-2")

    assert again.sentence == first.sentence
    assert not again.looks
    assert other.looks
    assert len(bench.audit()) == len(audit) + 1


def test_a_model_that_was_sent_back_has_not_served(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)
    bench.roll_out(blind)

    assert not bench.registry.has_served(bench.registry.named(bench.dataset, blind))


def test_a_model_that_is_not_registered_is_refused(bench):
    with pytest.raises(Refusal, match="has no model '000000000000'"):
        bench.roll_out("0" * 64)


def test_a_model_that_was_compared_with_another_champion_is_refused(bench):
    first = bench.register()
    bench.deploy(first)
    mine, theirs = (bench.register(shift=shift, against=first) for shift in (1, 2))
    bench.deploy(theirs)

    with pytest.raises(PromotionConflict, match=f"compared with {first[:12]}, but {theirs[:12]}"):
        bench.roll_out(mine)

    assert bench.state == (theirs, theirs, theirs)


def test_a_model_that_has_served_serves_again_though_the_champion_sees_otherwise(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    bench.deploy(new)

    rollout = bench.deploy("previous")

    assert bench.state == (old, old, old)
    assert {look.percent for look in rollout.looks} == {0, 100}
    assert bench.audit()[-1] == "restored"


def test_a_champion_whose_server_lost_it_is_put_in_service_again(bench):
    model = bench.register()
    bench.deploy(model)
    bench.target.serve(bench.dataset, None)

    rollout = bench.deploy(model)

    assert bench.state == (model, model, model)
    assert rollout.sentence == f"{model[:12]} is champion and serves again"


def test_a_lease_that_nobody_renews_takes_the_candidate_out_of_the_requests(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    version = bench.registry.named(bench.dataset, new)
    bench.target.hold(bench.dataset, new, registered(bench.objects, version.model))
    bench.target.begin(bench.dataset, new)
    bench.target.share(bench.dataset, 100)
    during = bench.door.detect(JPEG, bench.dataset).json()["model"]
    bench.door.shelf.lend(bench.dataset, Share(percent=100, model=new, until=0))

    after = bench.door.detect(JPEG, bench.dataset).json()["model"]

    assert (during, after) == (new, old)
    bench.target.abandon(bench.dataset)


def test_a_front_door_that_is_not_there_is_named_and_the_same_run_tries_the_model_again(bench):
    nowhere = ServerTarget("http://127.0.0.1:9", bench.door.shelf, ready_seconds=0)
    model = bench.register()

    with pytest.raises(Unreachable, match=r"no front door answers at http://127\.0\.0\.1:9"):
        bench.roll_out("challenger", nowhere, run="run-1")
    bench.deploy("challenger", run="run-1")

    assert bench.state == (model, model, model)


def test_a_server_without_a_front_door_is_refused(bench, server):
    with (
        closing(ServerTarget(server.url, server.shelf, ready_seconds=1)) as bare,
        pytest.raises(Refusal, match="is no front door with two servers behind it"),
    ):
        bare.ask(bench.dataset, JPEG, "stable")


def test_a_front_door_that_looks_at_another_folder_is_refused(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("components.deploy_model.server.FOLLOW_S", 0)
    elsewhere = type(bench.door.shelf)(tmp_path / "elsewhere")

    with (
        closing(ServerTarget(bench.door.url, elsewhere, ready_seconds=1)) as target,
        pytest.raises(Refusal, match="gives the candidate 0 %, expected 5 %: is its MODEL_ROOT"),
    ):
        target.share(bench.dataset, 5)


def test_a_half_copied_package_is_fetched_again(bench):
    model = bench.register()
    folder = bench.door.shelf.package(bench.dataset, model)
    bench.objects.get_folder(f"models/{model}/package", folder)
    shutil.rmtree(folder / "golden")

    held = bench.target.hold(bench.dataset, model, registered(bench.objects, model))

    assert PackageLayout(held).verify().digest == model
