import json

import pytest

from components.__main__ import main
from components.serving.score_dataset.score import score_pictures
from components.serving.score_dataset.source import sources
from components.shared.contracts.absence import mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import RegisteredLayout
from components.shared.store.objects import Objects
from tests.support.tiny_packages import jpeg_of, scene
from tests.support.tiny_snapshots import cell_box, frozen

LIT = {(0, 0): 0, (2, 1): 1}


@pytest.fixture
def champion(tiny_package, tmp_path):
    tiny_package(RegisteredLayout(tmp_path / "champion").package, classes=("car", "bus"))
    return tmp_path / "champion"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "deep" / "down").mkdir(parents=True)
    (folder / "one.jpg").write_bytes(jpeg_of(scene(LIT)))
    (folder / "deep" / "down" / "two.JPEG").write_bytes(jpeg_of(scene({})))
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def scored(champion, folder, tmp_path):
    """Score the folder as it is by then, and return the COCO JSON."""

    def run():
        paths = tmp_path / "coco.json", tmp_path / "page.html"
        score_pictures(champion, sources(str(folder), None), *paths)
        return json.loads(paths[0].read_text())

    return run


def test_every_jpeg_of_a_folder_is_scored_however_deep(scored):
    names = [image["file_name"] for image in scored()["images"]]

    assert names == ["deep/down/two.JPEG", "one.jpg"]


def test_boxes_are_coco_with_class_and_score(scored):
    coco = scored()
    first, second = sorted(coco["annotations"], key=lambda row: row["category_id"])

    assert coco["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}]
    assert (first["bbox"], first["category_id"], first["image_id"]) == ([0, 0, 16, 16], 1, 2)
    assert (second["bbox"], second["category_id"]) == ([32, 16, 16, 16], 2)
    assert 0.9 < first["score"] < 1
    assert len({row["id"] for row in coco["annotations"]}) == 2


def test_the_result_is_read_by_a_coco_library(scored):
    from hotcoco import COCO

    assert len(COCO(scored()).anns) == 2


def test_an_unreadable_picture_is_named_and_harms_no_other(scored, folder, capsys):
    before = scored()
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 not much more")
    after = scored()

    assert after["annotations"] == before["annotations"]
    assert [each["file_name"] for each in after["refused"]] == ["broken.jpg"]
    assert (
        capsys.readouterr().out.splitlines()[-1] == "» 2 images scored, 2 boxes found; 1 unreadable"
    )


def test_scoring_twice_gives_the_same_file(scored):
    assert scored() == scored()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: None, "is not there, expected a folder of JPEGs"),
        (lambda path: path.write_text(""), "is a file, expected a folder of JPEGs"),
        (lambda path: path.mkdir(), "holds no JPEG"),
    ],
    ids=["missing", "a file", "empty"],
)
def test_a_folder_without_pictures_is_refused(tmp_path, make, complaint):
    make(tmp_path / "given")

    with pytest.raises(UserError, match=complaint):
        sources(str(tmp_path / "given"), None)


def test_something_must_be_given():
    with pytest.raises(UserError, match="either a folder or a snapshot"):
        sources("", None)


def test_without_a_champion_there_is_nothing_to_score_with(folder, tmp_path):
    mark_absent(tmp_path / "champion", "toys has no champion yet")

    with pytest.raises(UserError, match="toys has no champion yet"):
        score_pictures(tmp_path / "champion", sources(str(folder), None), "a", "b")


def test_a_snapshot_is_scored_by_the_wrapper_and_its_truth_stays_behind(
    champion, object_store, tmp_path, monkeypatch
):
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    pictures = [("train", "north", LIT, [cell_box(3, 3)]), ("test", "north", {}, [])]
    frozen(tmp_path / "snapshot", Objects(object_store), pictures)
    paths = {name: tmp_path / name for name in ("snapshot", "champion", "detections", "page")}
    count = main(["score_dataset", *[str(part) for name, path in paths.items()
                                     for part in (f"--{name}", path)]])  # fmt: skip
    coco = json.loads(paths["detections"].read_text())

    assert count == 2
    assert sorted(row["bbox"] for row in coco["annotations"]) == [[0, 0, 16, 16], [32, 16, 16, 16]]
    assert "<h1>Batch inference</h1>" in paths["page"].read_text()


def test_a_folder_is_scored_by_the_wrapper_without_an_object_store(
    champion, folder, tmp_path, monkeypatch
):
    monkeypatch.delenv("OBJECT_STORE_URL", raising=False)
    options = ["--champion", champion, "--folder", folder, "--detections", tmp_path / "coco.json",
               "--page", tmp_path / "page.html"]  # fmt: skip

    assert main(["score_dataset", *map(str, options)]) == 2
