from collections import Counter

import pytest
from kfp import local

from components.__main__ import main
from components.data.import_dataset.component import import_dataset
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import FoundBox, FoundImage
from components.data.import_dataset.send import import_folder, without_copies
from components.shared.contracts.errors import UserError
from components.shared.contracts.events import (
    FRAMES_TOPIC,
    FrameCaptured,
    FrameLabelled,
    FrameRefused,
)
from components.shared.contracts.messages import parse_event
from tests.support.read_topic import read_topic
from tests.support.recording_sender import Recorder

HEADER = "image,xmin,ymin,xmax,ymax,class\n"


@pytest.fixture
def messy(fill, picture):
    """A folder with one good image, a background and every bad thing a person may send."""
    return fill(
        {
            "good.jpg": picture(1),
            "empty.jpg": picture(2),
            "truncated.jpg": picture(3)[:300],
            "text.jpg": "no picture",
            "outside.jpg": picture(4),
            "flat.jpg": picture(5),
            "classless.jpg": picture(6),
            "twice.jpg": picture(7),
            "again.jpg": picture(7),
            "this.jpg": picture(8),
            "that.jpg": picture(8),
            "nobody.jpg": picture(9),
            "drawn.png": picture(10, kind="PNG"),
            "boxes.csv": HEADER
            + "good.jpg,1,2,30,40,car\ngood.jpg,5,5,9,9,bus\nempty.jpg,,,,,\n"
            + "truncated.jpg,1,2,3,4,car\ntext.jpg,1,2,3,4,car\n"
            + "outside.jpg,1,2,30,40,car\noutside.jpg,60,2,70,40,car\noutside.jpg,-9,2,7,40,car\n"
            + "flat.jpg,5,5,5,9,car\nclassless.jpg,1,2,3,4,\n"
            + "twice.jpg,1,2,3,4,car\nagain.jpg,1,2,3,4,car\n"
            + "this.jpg,1,2,3,4,car\nthat.jpg,1,2,3,9,car\n"
            + "gone.jpg,1,2,3,4,car\nnonsense\ndrawn.png,1,2,64.4,48,van\n",
        }
    )


def test_bad_things_are_refused_one_by_one_and_good_ones_are_sent(messy, capsys):
    sender = Recorder()

    tally = import_folder(ImageFolder(messy), sender)

    assert [frame.source_name for frame in sender.frames] == [
        "again.jpg", "drawn.png", "empty.jpg", "good.jpg",
    ]  # fmt: skip
    assert Counter(reason for _, reason, *_ in sender.refusals) == {
        "undecodable": 2, "box_outside": 2, "box_without_area": 1, "missing_class": 1,
        "conflicting_labels": 2, "label_missing": 1, "image_missing": 1, "unreadable_line": 1,
    }  # fmt: skip
    assert str(tally).startswith(
        "4 images imported, 4 boxes, classes bus, car, van; 11 refused: 2 "
    )
    assert "1 copies of other images, with the same labels, are left out" in capsys.readouterr().out


def test_the_reasons_of_every_box_and_the_bytes_are_kept(messy):
    sender = Recorder()
    import_folder(ImageFolder(messy), sender)
    outside = [refusal for refusal in sender.refusals if refusal[1] == "box_outside"]

    assert [where for where, *_ in outside] == ["boxes.csv:8", "boxes.csv:9"]
    assert {content for *_, content, _ in outside} == {(messy / "outside.jpg").read_bytes()}


def test_a_folder_in_which_nothing_is_right_is_refused(fill, picture):
    folder = ImageFolder(fill({"a.jpg": picture()[:200], "a.csv": HEADER + "a.jpg,1,2,3,4,car"}))

    with pytest.raises(UserError, match=r"no image of .* can be used; 1 refused: 1 undecodable"):
        import_folder(folder, Recorder())


def test_a_dataset_has_a_name_that_is_one(messy):
    with pytest.raises(UserError, match="cannot be called 'My cars', expected small letters"):
        import_folder(ImageFolder(messy), Recorder("My cars"))


def test_frames_of_a_clip_share_a_group_and_a_camera(fill, picture):
    names = ("13_mp4-1.jpg", "13_mp4-2.jpg", "park.jpg")
    lines = "".join(f"{name},1,2,3,4,car\n" for name in names)
    files = {f"images/{name}": picture(n) for n, name in enumerate(names)}
    sender = Recorder()
    import_folder(ImageFolder(fill(files | {"a.csv": HEADER + lines})), sender)

    assert [(frame.group, frame.camera) for frame in sender.frames] == [
        ("13_mp4", "13_mp4"), ("13_mp4", "13_mp4"), ("park", "mine"),
    ]  # fmt: skip


def test_copies_that_stand_in_two_splits_are_refused():
    box = FoundBox("a:1", (1, 2, 3, 4), "car")
    images = [
        FoundImage(name=name, boxes=(box,), split=split)
        for name, split in (("a", "train"), ("b", "test"), ("c", "train"))
    ]

    kept = without_copies(images, {"a": "x", "b": "x", "c": "y"})

    assert [(image.name, [p.reason for p in image.problems]) for image in kept] == [
        ("a", ["conflicting_split"]),
        ("b", ["conflicting_split"]),
        ("c", []),
    ]


def test_importing_a_folder_again_sends_the_same_events(messy, stream, object_store, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", stream)
    sent = [main(["import_dataset", "--dataset", "mine", "--source", str(messy)]) for _ in range(2)]

    assert sent == [4, 4]
    events = Counter(read_topic(stream, FRAMES_TOPIC))
    assert set(events.values()) == {2}
    kinds = Counter(type(parse_event(message)[1]) for message in events)
    assert (kinds[FrameCaptured], kinds[FrameLabelled], kinds[FrameRefused]) == (4, 4, 11)


@pytest.mark.filterwarnings("ignore:You may be attemping:RuntimeWarning")
def test_the_wrapper_runs_as_kubeflow_runs_it(messy, stream, object_store, tmp_path, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", stream)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))

    assert import_dataset(dataset="mine", source=str(messy)).output == 4


def test_a_fault_of_every_label_is_one_sentence_and_nothing_is_sent(fill, picture):
    files = {f"{n}.jpg": picture(n) for n in range(4)} | {f"{n}.txt": "0 .5 .5" for n in range(4)}
    sender = Recorder()

    with pytest.raises(
        UserError, match=r"no label of .* 4 times unreadable_line, the first is 0.txt:1"
    ):
        import_folder(ImageFolder(fill(files)), sender)
    assert (sender.frames, sender.refusals) == ([], [])


def test_a_fault_of_all_boxes_is_one_sentence_and_nothing_is_sent(fill, picture):
    lines = "".join(f"{n}.jpg,.1,.2,.3,.4,car\n" for n in range(4))
    sender = Recorder()
    folder = fill({f"{n}.jpg": picture(n) for n in range(4)} | {"a.csv": HEADER + lines})

    with pytest.raises(UserError, match="all values of 4 boxes lie between 0 and 1"):
        import_folder(ImageFolder(folder), sender)
    assert (sender.frames, sender.refusals) == ([], [])


def test_a_dataset_whose_boxes_are_all_refused_is_refused(fill, picture):
    lines = "a.jpg,1,1,70,9,car\nb.jpg,,,,,\n"
    folder = fill({"a.jpg": picture(1), "b.jpg": picture(2), "a.csv": HEADER + lines})

    with pytest.raises(UserError, match=r"no box of .* can be used; 1 refused: 1 box_outside"):
        import_folder(ImageFolder(folder), Recorder())


def test_a_label_of_too_many_boxes_is_refused_and_the_others_go_on(fill, picture):
    lines = "".join(f"a.jpg,1,1,9,{n / 1000 + 2},car\n" for n in range(5001))
    folder = fill({"a.jpg": picture(1), "b.jpg": picture(2),
                   "a.csv": f"{HEADER}{lines}b.jpg,1,2,30,40,car\n"})  # fmt: skip
    sender = Recorder()
    import_folder(ImageFolder(folder), sender)

    assert [frame.source_name for frame in sender.frames] == ["b.jpg"]
    assert [refusal[:3] for refusal in sender.refusals] == [
        ("a.jpg", "too_many_boxes", "it has 5,001 boxes, expected at most 5,000")
    ]


def test_every_reason_is_said_three_times_at_most_in_single_lines(fill, picture, capsys):
    files = {f"a\n{n}.jpg": picture(n) for n in range(9)} | {"b.jpg": picture(9)}
    import_folder(ImageFolder(fill(files | {"b.txt": "0 .5 .5 .5 .5"})), Recorder())
    said = capsys.readouterr().out.splitlines()

    assert [line for line in said if "refused" in line] == [
        f"» refused, label_missing: a\\x0a{n}.jpg: it has no label; an empty label file, or a "
        "line of the CSV with its name alone, means that it has no object"
        for n in range(3)
    ]


def test_a_name_that_is_no_utf_8_ends_nothing(fill, picture, stream, object_store, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", stream)
    root = fill({"a.jpg": picture(1), "z.jpg": picture(2), "a.txt": "0 .5 .5 .5 .5", "z.txt": ""})
    (root / "b\udce9.jpg").write_bytes(picture(3))

    assert main(["import_dataset", "--dataset", "mine", "--source", str(root)]) == 2
    events = [parse_event(message)[1] for message in read_topic(stream, FRAMES_TOPIC)]
    refused = [event for event in events if isinstance(event, FrameRefused)]
    assert [(event.source_name, event.reason) for event in refused] == [
        ("b\\xe9.jpg", "label_missing")
    ]
