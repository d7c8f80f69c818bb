import itertools
import shutil
from contextlib import closing

import pytest

from components.contracts.model import PackageError, PackageLayout
from components.contracts.refusal import Refusal
from components.deploy_model.deploy import deploy
from components.deploy_model.targets import ServerTarget, Unreachable, target_named
from components.store.objects import Objects
from components.store.postgres import connect
from components.store.registry import PromotionConflict, Registry
from tests.components.inference.tiny import jpeg_of, scene, seal

JPEG = jpeg_of(scene({(1, 2): 0}))
numbers = itertools.count()


class Bench:
    """One dataset with its registry, its packages in the object store, and the server."""

    def __init__(self, connection, objects, server, tiny_package):
        self.dataset = f"bench-{next(numbers)}"
        self.registry = Registry(connection)
        self.objects, self.server, self.tiny_package = objects, server, tiny_package
        self.target = ServerTarget(server.url, server.shelf)

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

    def fetch(self, model):
        return lambda folder: self.objects.get_folder(f"models/{model}/package", folder)

    def deploy(self, model, target=None):
        version = self.registry.named(self.dataset, model)
        return deploy(self.registry, target or self.target, version, self.fetch(version.model))

    @property
    def state(self):
        """What serves, what is current on the shelf, who is champion: all should agree."""
        answer = self.target.ask(self.dataset, JPEG)
        champion = self.registry.champion(self.dataset)
        return (
            answer.model if answer else None,
            self.server.shelf.current(self.dataset),
            champion.model if champion else None,
        )


@pytest.fixture
def bench(database, object_store, server, tiny_package):
    with closing(connect(database)) as connection:
        bench = Bench(connection, Objects(object_store), server, tiny_package)
        with closing(bench.target):
            yield bench


def wrong_answers(package):
    lines = package.golden.read_text().replace('"score":0.96', '"score":0.5')
    package.golden.write_text(lines)


def test_the_first_model_is_served_and_becomes_champion(bench):
    model = bench.register()

    rollout = bench.deploy(model)

    assert bench.state == (model, model, model)
    assert rollout.sentence.startswith(f"serving {model[:12]}: 3 golden answers right, ")
    assert "| nobody answered | 2 by " in rollout.page


def test_a_better_model_takes_over_and_the_old_one_is_remembered(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    bench.deploy(new)

    assert bench.state == (new, new, new)
    assert bench.registry.alias(bench.dataset, "previous").model == old


def test_a_second_time_is_no_work(bench):
    model = bench.register()
    bench.deploy(model)
    audit = len(bench.registry.versions(bench.dataset))

    rollout = bench.deploy(model)

    assert rollout.sentence == f"{model[:12]} serves already"
    assert len(bench.registry.versions(bench.dataset)) == audit


def test_a_model_that_answers_otherwise_is_taken_back(bench):
    old = bench.register()
    bad = bench.register(shift=2, spoil=wrong_answers, against=old)
    bench.deploy(old)

    with pytest.raises(Refusal, match=f"not put in service, {old[:12]} serves again: .*otherwise"):
        bench.deploy(bad)

    assert bench.state == (old, old, old)


def test_a_first_model_that_answers_otherwise_leaves_nothing_in_service(bench):
    with pytest.raises(Refusal, match="not put in service, nothing serves"):
        bench.deploy(bench.register(spoil=wrong_answers))

    assert bench.state == (None, None, None)


def test_a_stored_package_with_a_changed_byte_never_reaches_the_server(bench):
    old = bench.register()
    bad = bench.register(shift=2, against=old)
    bench.deploy(old)
    key = f"models/{bad}/package/model.onnx"
    bench.objects.put(key, bench.objects.get(key)[:-1] + b"\0")

    with pytest.raises(PackageError, match=r"model.onnx has digest"):
        bench.deploy(bad)

    assert bench.state == (old, old, old)


def test_who_was_slower_than_another_gives_way(bench):
    first = bench.register()
    mine, theirs = (bench.register(shift=shift, against=first) for shift in (1, 2))
    bench.deploy(first)

    class Slow(ServerTarget):
        """While we ask what serves, another deployment comes and goes."""

        def hold(self, dataset, model, fetch):
            bench.deploy(theirs)
            return super().hold(dataset, model, fetch)

    with (
        closing(Slow(bench.server.url, bench.server.shelf)) as slow,
        pytest.raises(PromotionConflict),
    ):
        bench.deploy(mine, slow)

    assert bench.state == (theirs, theirs, theirs)


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing is cleaned up."""


@pytest.mark.parametrize("line", [1, 5, 8, 11, 12, 13, 15, 16])
def test_killed_anywhere_and_run_again_it_ends_the_same(bench, monkeypatch, line):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    calls = itertools.count(1)

    def dying(function):
        def wrapper(*arguments, **options):
            if next(calls) == line:
                raise Killed
            return function(*arguments, **options)

        return wrapper

    with monkeypatch.context() as patch:
        patch.setattr(bench.objects, "get", dying(bench.objects.get))
        patch.setattr(bench.target, "_post", dying(bench.target._post))
        patch.setattr(bench.registry, "promote", dying(bench.registry.promote))
        patch.setattr(bench.server.shelf, "point", dying(bench.server.shelf.point))
        with pytest.raises(Killed):
            bench.deploy(new)
    bench.deploy(new)

    assert bench.state == (new, new, new)
    assert [version.model for version in bench.registry.versions(bench.dataset)] == [old, new]


def test_a_model_that_is_not_registered_is_refused(bench):
    with pytest.raises(Refusal, match="has no model '000000000000'"):
        bench.deploy("0" * 64)


def test_a_model_that_was_compared_with_another_champion_is_refused(bench):
    first = bench.register()
    bench.deploy(first)
    mine, theirs = (bench.register(shift=shift, against=first) for shift in (1, 2))
    bench.deploy(theirs)

    with pytest.raises(PromotionConflict, match=f"compared with {first[:12]}, but {theirs[:12]}"):
        bench.deploy(mine)

    assert bench.state == (theirs, theirs, theirs)


def test_a_model_that_has_served_may_serve_again(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    bench.deploy(new)

    bench.deploy("previous")

    assert bench.state == (old, old, old)


def test_a_server_that_is_not_there_is_named(bench):
    with (
        closing(ServerTarget("http://127.0.0.1:9", bench.server.shelf)) as nowhere,
        pytest.raises(Unreachable, match=r"no server answers at http://127.0.0.1:9"),
    ):
        bench.deploy(bench.register(), nowhere)


def test_a_half_copied_package_is_fetched_again(bench):
    model = bench.register()
    folder = bench.server.shelf.package(bench.dataset, model)
    bench.fetch(model)(folder)
    shutil.rmtree(folder / "golden")

    held = bench.target.hold(bench.dataset, model, bench.fetch(model))

    assert PackageLayout(held).verify().digest == model


def test_an_unknown_target_is_refused():
    with pytest.raises(Refusal, match="target is 'moon', expected 'server'"):
        target_named("moon", "http://127.0.0.1", "models")
