import pytest

from components.data.validate_dataset.validate import SnapshotValidationError, validate
from components.shared.store.snapshots import ShardError
from tests.support.draft_snapshots import box, found, jpeg, policies, validated


def test_a_sound_snapshot_has_no_findings(draft):
    assert found(draft) == []


@pytest.mark.parametrize(
    ("boxes", "reason", "detail"),
    [
        ([box(x_max=97)], "box_outside", "x 1 to 97, y 2.5 to 20 leaves the 96 x 72 image"),
        ([box(y_min=-1)], "box_outside", "y -1 to 20 leaves"),
        ([box(x_min=30)], "box_empty", "x 30 to 30, y 2.5 to 20 holds nothing"),
        ([box(y_max=1)], "box_empty", "y 2.5 to 1 holds nothing"),
        ([box(label="cat")], "unknown_class", "class 'cat' is not one of car"),
        ([box(), box(x_max=30.2)], "duplicate_box", "0.jpg, box 1: lies on box 0, another car"),
    ],
    ids=["outside right", "outside above", "no width", "upside down", "strange class", "twice"],
)
def test_a_wrong_box_is_found_and_named(draft, boxes, reason, detail):
    draft.lines[0]["boxes"] = boxes
    (finding,) = found(draft)

    assert finding.reason == reason
    assert detail in finding.detail
    assert finding.detail.startswith("0.jpg, box ")


def test_an_image_that_does_not_decode_is_found(draft):
    draft.contents[0] = jpeg(0)[:500]
    (finding,) = found(draft)

    assert finding.reason == "undecodable"
    assert finding.detail.startswith("0.jpg: ")


def test_an_image_of_another_size_than_its_label_s_is_found(draft):
    draft.lines[0]["width"] = 200
    (finding,) = found(draft)

    assert (finding.reason, finding.detail) == (
        "wrong_size",
        "0.jpg: is 96 x 72, its label says 200 x 72",
    )


def test_an_empty_split_is_found(draft):
    for line in draft.lines:
        line["split"] = {"test": "train"}.get(line["split"], line["split"])

    assert [finding.detail for finding in found(draft)] == ["the test split has no images"]


def test_a_split_without_boxes_and_a_class_without_examples_are_found(draft):
    for line in draft.lines:
        line["boxes"] = []

    assert [finding.reason for finding in found(draft)] == [
        "nothing_to_learn",
        "split_without_boxes",
        "split_without_boxes",
        "class_without_boxes",
    ]


@pytest.mark.parametrize("broken", ["images", "boxes"])
def test_what_is_too_small_is_refused_in_one_sentence_whatever_else_is_wrong(
    draft, tmp_path, broken
):
    for line in draft.lines:
        line["group"] = "everywhere"
        line["boxes"] = [box(x_max=500)] if broken == "images" else []
    root = draft.write()
    expected = {
        "images": "8 images, expected at least 9",
        "boxes": "none of 4 training images has a box, expected objects to learn from",
    }

    least = 8 + (broken == "images")
    with pytest.raises(SnapshotValidationError, match=f"of toy: {expected[broken]}$"):
        validate(root, draft.objects, tmp_path / "page.html", policies(min_images=least))


def test_an_image_with_very_many_boxes_is_remarked_upon_and_others_are_not(draft, tmp_path):
    draft.lines[0]["boxes"] = [box(x_min=x, x_max=x + 0.5) for x in range(90)]

    assert [f.detail for f in found(draft, max_boxes=89)] == [
        "0.jpg: 90 boxes, expected at most 89"
    ]
    assert found(draft, max_boxes=90) == []


def test_too_few_images_are_found(draft):
    assert [finding.detail for finding in found(draft, min_images=9)] == [
        "8 images, expected at least 9"
    ]


def test_a_sound_snapshot_is_ok_and_shown(draft, tmp_path, capsys):
    validation = validated(draft, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()

    assert validation.word == "ok"
    assert validation.numbers["images"] == 8
    assert page.count("<img") == 8
    assert "None." in page
    assert capsys.readouterr().out == "» valid: 8 images, no errors and no warnings\n"


def test_a_warning_lets_it_pass_and_is_said(draft, tmp_path, capsys):
    draft.lines[0]["boxes"] = [box(), box()]
    validation = validated(draft, tmp_path / "page.html")

    assert validation.word == "warn"
    assert validation.numbers["duplicate_box"] == 1
    assert capsys.readouterr().out == (
        "» valid: 8 images, 1 warning (1 duplicate_box), "
        "first: 0.jpg, box 1: lies on box 0, another car\n"
    )


def test_a_failing_snapshot_is_refused_after_its_page_is_written(draft, tmp_path):
    draft.lines[0]["boxes"] = [box(label="<cat>"), box(x_max=200)]
    draft.contents[1] = b"no picture"
    message = r"snapshot 555555555555 of toy: not valid: 3 errors in 8 images \(1 unk.*0.jpg"

    with pytest.raises(SnapshotValidationError, match=message):
        validated(draft, tmp_path / "page.html")

    assert "class &#39;&lt;cat&gt;&#39; is not one of car" in (tmp_path / "page.html").read_text()


def test_the_policy_says_what_fails(draft, tmp_path):
    draft.lines[0]["boxes"] = [box(), box()]

    with pytest.raises(SnapshotValidationError, match="1 duplicate_box"):
        validated(draft, tmp_path / "page.html", fail=("duplicate_box",), warn=())


def test_the_page_is_the_same_each_time(draft, tmp_path):
    validated(draft, tmp_path / "one.html")
    validated(draft, tmp_path / "two.html")

    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_the_page_names_what_was_kept_away(draft, tmp_path):
    draft.info |= {"left_out": {"1" * 64: "bridges_splits"}, "refused": {"too_large": 3}}
    validated(draft, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()

    assert "bridges_splits" in page
    assert "too_large" in page


def test_lost_bytes_are_named(draft, tmp_path):
    root = draft.write()
    draft.layout.index.write_text("")

    with pytest.raises(ShardError, match="is not in the index"):
        validate(root, draft.objects, tmp_path / "page.html", policies())
