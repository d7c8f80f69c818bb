import pytest

from components.__main__ import main
from components.promotion.fetch_model.fetch import fetch
from components.shared.contracts.absence import Absence, absence
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageError, RegisteredLayout
from components.shared.store.objects import Objects


@pytest.fixture
def objects(object_store):
    return Objects(object_store)


@pytest.fixture
def champion(registry, objects, tiny_package):
    """A registered and promoted model, and its digest."""
    package = tiny_package()
    digest = package.verify().digest
    uri = objects.put_folder(f"{RegisteredLayout.prefix(digest)}/package", package.root)
    registry.register("toys", digest, uri, "0" * 64, {}, {}, "first")
    registry.promote("toys", digest, None)
    return digest


def test_the_champion_arrives_whole(registry, objects, champion, tmp_path):
    found = fetch(registry, objects, "toys", "champion", tmp_path / "champion")

    assert found.model == champion
    assert (tmp_path / "champion" / "package" / "model.onnx").exists()


def test_before_the_first_champion_there_is_a_reason_instead(registry, objects, tmp_path):
    assert fetch(registry, objects, "highway", "champion", tmp_path / "champion") is None
    assert absence(tmp_path / "champion") == "highway has no champion yet"


def test_a_challenger_is_no_champion(registry, objects, champion, tmp_path):
    registry.register("other", champion, "file:///x", "0" * 64, {}, {}, "waits")

    assert fetch(registry, objects, "other", "champion", tmp_path / "champion") is None


def test_a_damaged_champion_is_absent_as_damaged_so_that_the_loop_goes_on(
    registry, objects, champion, tmp_path
):
    objects.put(f"{RegisteredLayout.prefix(champion)}/package/model.onnx", b"other")
    folder = tmp_path / "champion"

    assert fetch(registry, objects, "toys", "champion", folder) is None
    assert "is damaged in the object store" in absence(folder)
    assert Absence.read(folder / "absent.json").damaged
    assert [file.name for file in folder.iterdir()] == ["absent.json"]


def test_a_damaged_champion_that_must_be_whole_is_an_error(registry, objects, champion, tmp_path):
    objects.put(f"{RegisteredLayout.prefix(champion)}/package/model.onnx", b"other")

    with pytest.raises(PackageError):
        fetch(registry, objects, "toys", "champion", tmp_path / "champion", must_be_whole=True)


def test_any_registered_model_arrives_by_alias_or_digest(
    registry, objects, champion, tiny_package, tmp_path
):
    package = tiny_package(shift=3)
    digest = package.verify().digest
    uri = objects.put_folder(f"{RegisteredLayout.prefix(digest)}/package", package.root)
    registry.register("toys", digest, uri, "0" * 64, {}, {}, "second", champion)

    names = ("challenger", digest)
    found = {fetch(registry, objects, "toys", name, tmp_path / name).model for name in names}

    assert found == {digest}


def test_a_model_that_nobody_registered_is_refused_by_name(registry, objects, tmp_path):
    with pytest.raises(UserError, match="toys has no model 'previous'"):
        fetch(registry, objects, "toys", "previous", tmp_path / "fetched")


def test_a_damaged_model_that_was_asked_for_by_name_is_refused(
    registry, objects, champion, tmp_path
):
    objects.put(f"{RegisteredLayout.prefix(champion)}/package/model.onnx", b"other")

    with pytest.raises(PackageError, match=r"model\.onnx has digest"):
        fetch(registry, objects, "toys", champion, tmp_path / "champion")


def test_another_model_in_its_place_is_refused(registry, objects, tiny_package, tmp_path):
    package = tiny_package()
    objects.put_folder(f"{RegisteredLayout.prefix('f' * 64)}/package", package.root)
    registry.register("toys", "f" * 64, "file:///x", "0" * 64, {}, {}, "first")
    registry.promote("toys", "f" * 64, None)

    with pytest.raises(PackageError, match="the folder has model"):
        fetch(registry, objects, "toys", "f" * 64, tmp_path / "champion")


def test_the_wrapper_runs_by_hand(champion, database, object_store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    folder = tmp_path / "champion"
    digest = main(["fetch_model", "--dataset", "toys", "--fetched", str(folder)])

    assert digest == champion
    assert f"version 1 of toys ({champion[:12]}) is in service" in capsys.readouterr().out
