"""Runs the importer over the data sets that users of comparable tools had trouble with."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from components.data.import_dataset.check import check
from components.data.import_dataset.find import find
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.picture import EPOCH, read_picture
from components.data.import_dataset.send import import_folder
from components.data.import_dataset.survey import iou, survey
from components.shared.contracts.errors import UserError
from components.shared.store.frames import Frame
from components.shared.vision.jpeg import decode_small
from tests.support.recording_sender import Recorder

MAKER = Path(__file__).parents[5] / "shared/cases/make_cases.py"
LABELS = re.findall(r"\d+", "01 03 04 05 07 08 09 11 12 13 15 17 18 20 21 22 24 30 36")
PICTURES = ["26", "28", "33"]
MIN_IOU = 0.98


def edges(box):
    return box.x_min, box.y_min, box.x_max, box.y_max


def same(true, boxes) -> bool:
    left = list(boxes)
    for *wanted, label in true:
        twin = next(
            (b for b in left if b.label == label and iou(wanted, edges(b)) >= MIN_IOU), None
        )
        if twin is None:
            return False
        left.remove(twin)
    return not left


def read_labels(root, sizes) -> Recorder:
    """Read the labels of a folder, without decoding its pictures."""
    sender, found = Recorder(), find(ImageFolder(root))
    survey(found.form, found.images, sizes)
    sender.refusals += [
        (problem.where, problem.reason, problem.detail) for problem in found.problems
    ]
    for image in found.images:
        boxes, problems = check(image, *sizes[image.name])
        sender.refusals += [(image.name, problem.reason, problem.detail) for problem in problems]
        if not problems:
            facts = {"split": image.split, "group": "", "camera": "", "captured_at": EPOCH}
            width, height = sizes[image.name]
            name = image.name
            sender.send(
                Frame(jpeg=b"", source_name=name, width=width, height=height, boxes=boxes, **facts)
            )
    return sender


def read_all(root, sizes) -> Recorder:
    """Read labels and pictures of a folder."""
    sender = Recorder()
    import_folder(ImageFolder(root), sender)
    return sender


def faults(truth, read) -> list[str]:
    """Return what became of pictures otherwise than the truth says."""
    sender, refused = Recorder(), ""
    sizes = {name: tuple(image["size"]) for name, image in truth["images"].items()}
    try:
        sender = read(Path(truth["data"]), sizes)
    except UserError as refusal:
        refused = str(refusal)
        assert "\n" not in refused
    frames = {frame.source_name: frame for frame in sender.frames}
    named = " ".join(f"{where} {detail}" for where, _, detail, *_ in sender.refusals)
    found = []
    for name, image in truth["images"].items():
        frame, must = frames.pop(name, None), image["must"]
        if frame is None:
            if must == "use" or not (must == "ignore" or refused or Path(name).stem in named):
                found.append(f"{name} is missing")
            continue
        if must in ("refuse", "ignore"):
            found.append(f"{name} is used")
        elif [frame.width, frame.height] != image["size"] or not same(image["boxes"], frame.boxes):
            found.append(f"{name} has other boxes")
        elif image["split"] not in (None, frame.split):
            found.append(f"{name} is {frame.split}")
    return found + [f"{name} is not of the data set" for name in frames]


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """All cases and their truths, written once."""
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run(
        [sys.executable, MAKER, folder, *LABELS, *PICTURES], check=True, capture_output=True
    )
    return folder


@pytest.mark.skipif(not MAKER.exists(), reason="no shared data")
def test_every_shared_case_comes_out_right_where_shared_data_is(cases):
    wrong = {}
    for file in sorted((cases / "truth").glob("*.json")):
        read = read_all if file.stem[:2] in PICTURES else read_labels
        wrong[file.stem] = faults(json.loads(file.read_text()), read)

    assert len(wrong) == 36
    assert {name: found[:3] for name, found in wrong.items() if found} == {}


@pytest.mark.skipif(not MAKER.exists(), reason="no shared data")
def test_every_kind_of_picture_looks_as_its_reference_where_shared_data_is(cases):
    folder = cases / "cases/26-image-kinds/images"
    references = [r for r in (cases / "truth").glob("*-reference/*.png") if "frame" not in r.stem]

    def grey(file):
        return decode_small(read_picture(file.read_bytes()).jpeg, 160).astype(int)

    differences = {
        reference.stem: abs(grey(reference) - grey(next(folder.glob(f"{reference.stem}.*")))).mean()
        for reference in references
    }

    assert len(differences) == 20
    assert {name for name, levels in differences.items() if levels >= 6} == set()
