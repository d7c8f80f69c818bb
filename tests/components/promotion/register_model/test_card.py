"""A card tells what is known of a model, and says so where little is."""

import re
from datetime import UTC, datetime

import pytest

from components.promotion.register_model.card import model_card
from components.shared.contracts.annotation import Box
from components.shared.contracts.model import Lineage, PackageInfo, Postprocessing, Preprocessing
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import ModelReport, Report, Verdict
from components.shared.contracts.snapshot import SnapshotImage, SnapshotInfo

NAMES = ("north", "south | <b>gate</b> [x](y)")


def picture(number, split, hour=9, side=40.0):
    return SnapshotImage(
        sha256=f"{number:064x}", width=640, height=480, camera=NAMES[number % 2], group="g",
        split=split, captured_at=datetime(2026, 1, 1 + number % 3, hour, tzinfo=UTC),
        source_name="", boxes=(Box(x_min=0, y_min=0, x_max=100, y_max=side, label="car"),),
    )  # fmt: skip


IMAGES = [
    picture(n, split) for n, split in enumerate(["train"] * 6 + ["validation"] + ["test"] * 2)
]
SNAPSHOT = SnapshotInfo(
    id="5" * 64, dataset="gate", classes=("car", "truck"), as_of=None,
    images={"train": 6, "validation": 1, "test": 2}, boxes={"train": 6, "validation": 1, "test": 2},
    left_out={}, refused={},
)  # fmt: skip
PACKAGE = PackageInfo(
    dataset="gate", classes=("car", "truck"), files={},
    preprocessing=Preprocessing(image_width=320, image_height=256),
    postprocessing=Postprocessing(),
    lineage=Lineage(
        dataset="gate", snapshot="5" * 64, code="c" * 64, settings={"mosaic": 0.5}, seed=7,
        start="scratch", fingerprint="f" * 64,
    ),
)  # fmt: skip


def numbers(role="from_scratch", score=0.5, cameras=None):
    return ModelReport(
        role=role, model=PACKAGE.digest if role == "from_scratch" else "d" * 64,
        coco={"map": score, "map50": 0.8, "map_small": -1.0}, slices={"camera": cameras or {}},
        latency_ms_p50=9.0, latency_ms_p95=11.0, size_bytes=3_000_000,
    )  # fmt: skip


def report(*models, boxes=None):
    return Report(
        dataset="gate", snapshot="5" * 64, split="test", images=2, boxes=2, models=models,
        absent={},
        slice_boxes={"camera": boxes or {}},
    )  # fmt: skip


def card(model=None, champion=None, snapshot=SNAPSHOT, images=IMAGES, boxes=None):
    model = model or numbers()
    others = (champion,) if champion else ()
    compared = report(model, *others, boxes=boxes)
    return model_card(PACKAGE, compared, model, snapshot, images, verdict("why"))


def verdict(reason):
    return Verdict(winner="from_scratch", reason=reason, policy=PromotionPolicy())


def rows(text):
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]


def test_the_data_is_counted_by_split_and_class():
    told = rows(card())

    assert ["images", "6", "1", "2"] in told
    assert ["car", "6", "1", "2"] in told
    assert ["truck", "0", "0", "0"] in told
    assert ["cameras", "2", "1", "2"] in told


def test_the_champion_before_stands_beside_the_model():
    assert ["mAP50-95", "0.500"] in rows(card())
    assert ["mAP50-95", "0.500", "0.400"] in rows(card(champion=numbers("champion", 0.4)))


def test_memory_is_told_when_it_is_known_and_said_to_be_without_a_server():
    known, before = (
        numbers(role).model_copy(update={"memory_mb": memory})
        for role, memory in (("from_scratch", 107.4), ("champion", 90.0))
    )

    assert ["memory without a server, MB", "107"] in rows(card(known))
    assert ["memory without a server, MB", "107", "90"] in rows(card(known, before))
    assert "memory" not in card()


def test_a_number_that_is_undefined_is_left_blank():
    assert "-1" not in card()


def test_the_lineage_is_whole():
    told = dict(row for row in rows(card()) if len(row) == 2)

    assert told["model"] == PACKAGE.digest
    assert (told["snapshot"], told["code"]) == ("5" * 64, "c" * 64)
    assert (told["seed"], told["training"], told["mosaic"]) == ("7", "f" * 64, "0.5")


def test_no_name_is_taken_for_markdown_or_html():
    text = card(boxes={NAMES[1]: 3}, model=numbers(cameras={NAMES[1]: 0.5}))

    assert "<b>" not in text
    assert "[x]" not in text
    for line in (line for line in text.splitlines() if line.startswith("|")):
        assert line.count("|") in (3, 4, 5)


def test_few_objects_in_a_slice_are_said():
    text = card(boxes={"north": 3, "west": 5000})

    assert "by camera: north (3)." in text


def test_the_hours_that_were_never_seen_are_said():
    assert "No training image was taken in these hours (UTC): 0-8, 10-23." in card()
    whole_day = [picture(hour, "train", hour) for hour in range(24)]
    assert "these hours" not in card(images=whole_day)


def test_the_smallest_objects_are_in_pixels_of_the_networks_input():
    assert "below 20 pixels of the input" in card()  # 40 pixels of 640x480, halved


def test_a_model_of_nothing_labelled_has_a_card_too():
    empty = SNAPSHOT.model_copy(update={"boxes": {}, "images": {}})

    assert "## Limits" in card(snapshot=empty, images=[])


def test_many_slices_are_cut_to_the_weakest():
    text = card(model=numbers(cameras={f"c{n:02}": n / 40 for n in range(40)}))

    assert "mAP50 by camera, the weakest 12 of 40" in text
    assert re.findall(r"^\| (c\d\d) ", text, re.M) == [f"c{n:02}" for n in range(12)]


@pytest.mark.parametrize("reason", ["a gain | of <much>"])
def test_the_reason_is_told(reason):
    model = numbers()
    text = model_card(PACKAGE, report(model), model, SNAPSHOT, IMAGES, verdict(reason))

    assert "Reason of its registration: a gain &#124; of &#60;much&#62;" in text
