"""Damaged annotation files of every form end in right boxes or in a refusal, never in others."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data.import_dataset.check import check
from components.data.import_dataset.find import find
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.survey import survey
from components.shared.contracts.refusal import Refusal
from tests.support.damaged_datasets import (
    BOXES,
    FORMS,
    GARBAGE,
    HEIGHT,
    KINDS,
    NAMES,
    SIZES,
    WIDTH,
    mutate,
)


@pytest.fixture(scope="module", params=FORMS)
def written(request, tmp_path_factory):
    """One form's files, and the folder they are written to."""
    root = tmp_path_factory.mktemp("form")
    files = FORMS[request.param]
    for name in (*SIZES, *files):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(files.get(name, ""))
    return root, files


def read(root: Path) -> dict[str, list | None]:
    """Return the boxes of each image that can be used, and None of each that is refused."""
    found = find(ImageFolder(root))
    survey(found.form, found.images, SIZES)
    checked = {image.name: check(image, WIDTH, HEIGHT) for image in found.images}
    lost = {problem.where for problem in found.problems if problem.reason == "label_missing"}
    return dict.fromkeys(lost) | {
        name: None if problems else [(b.x_min, b.y_min, b.x_max, b.y_max, b.label) for b in boxes]
        for name, (boxes, problems) in checked.items()
    }


def close(one, other) -> bool:
    # A class that is spelled otherwise is another one: it is said, and no fault of the box.
    return all(abs(a - b) < 0.01 for a, b in zip(one[:4], other[:4], strict=True)) and (
        one[4] == other[4] or other[4] not in NAMES
    )


def wrong(images) -> list[str]:
    """Return the images that are used with other boxes than theirs, or are not named at all."""
    faults = []
    for name in SIZES:
        true = sorted(BOXES[Path(name).stem])
        told = images.get(name, "nothing")
        if told == "nothing" or (
            told is not None and (len(told) != len(true) or not all(map(close, true, sorted(told))))
        ):
            faults.append(f"{name}: {told}, true {true}")
    return faults


def test_an_unharmed_data_set_is_read_whole(written):
    root, _ = written

    images = read(root)
    assert wrong(images) == []
    assert None not in images.values()


@settings(max_examples=20)
@given(data=st.data())
def test_damage_leads_to_right_boxes_or_to_a_refusal(written, data):
    root, files = written
    name = data.draw(st.sampled_from(sorted(files)))
    damage = (
        data.draw(st.sampled_from(KINDS)), files[name], data.draw(st.integers(0, 9_999)),
        data.draw(st.sampled_from(GARBAGE)),
    )  # fmt: skip
    (root / name).write_bytes(mutate(*damage))
    try:
        images = read(root)
    except Refusal as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 (a refusal is one of two right ends)
    else:
        assert wrong(images) == []
    finally:
        (root / name).write_text(files[name])
