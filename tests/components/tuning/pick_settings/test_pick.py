"""Settings win by doing better than the defaults on the validation split, by enough."""

from pathlib import Path

import pytest
from kfp import dsl

from components.shared.contracts.absence import mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import (
    PackageInfo,
    PackageLayout,
    Postprocessing,
    Preprocessing,
    TrainedLayout,
)
from components.shared.contracts.policy import TuningPolicy
from components.shared.contracts.recipe import recipe_from, recipe_text
from components.shared.contracts.report import ModelReport, Report
from components.training.train_detector.plan.recipe import read_recipe
from components.tuning.pick_settings.component import pick_settings
from components.tuning.pick_settings.pick import pick
from tests.support.search_results import info_of

DEFAULTS, LOW, HIGH = {"epochs": 9}, {"epochs": 9, "mosaic": 0.1}, {"epochs": 9, "mosaic": 0.9}
FINALISTS = [DEFAULTS, LOW, HIGH]


def package_of(recipe):
    return PackageInfo(
        dataset="toys", classes=("car",),
        preprocessing=Preprocessing(image_width=64, image_height=64),
        postprocessing=Postprocessing(), lineage=info_of(recipe).lineage, files={},
    )  # fmt: skip


def report_of(recipe, score, latency=10.0, split="validation"):
    model = ModelReport(
        role="from_scratch", model=package_of(recipe).digest, coco={"map": score, "map50": score},
        slices={}, latency_ms_p50=latency, latency_ms_p95=latency, size_bytes=2_000_000,
    )  # fmt: skip
    return Report(
        dataset="toys", snapshot="5" * 64, split=split, images=30, boxes=90, models=(model,),
        absent={},
    )  # fmt: skip


def picked(*reports):
    return pick(
        FINALISTS, [package_of(one) for one in reversed(FINALISTS)], reports, TuningPolicy()
    )


def test_the_best_wins_if_it_beats_the_defaults():
    found = picked(report_of(DEFAULTS, 0.4), report_of(LOW, 0.39), report_of(HIGH, 0.45))

    assert found.recipe == {"mosaic": 0.9}
    assert found.reason == "new settings: mAP50-95 0.450, defaults 0.400, difference +0.050"


def test_a_gain_that_chance_makes_too_changes_nothing():
    found = picked(report_of(DEFAULTS, 0.4), report_of(LOW, 0.404), report_of(HIGH, 0.3))

    assert found.recipe == {}
    assert found.reason.startswith("defaults kept: mAP50-95 0.400")


def test_defaults_that_are_alone_stay_and_say_so():
    found = pick([DEFAULTS], [package_of(DEFAULTS)], [report_of(DEFAULTS, 0.4)], TuningPolicy())

    assert found.recipe == {}
    assert found.reason == ("defaults kept: mAP50-95 0.400, no other trial to compare with")


def test_a_gain_of_exactly_the_margin_is_enough():
    found = picked(report_of(DEFAULTS, 0.4), report_of(LOW, 0.405), report_of(HIGH, 0.3))

    assert found.recipe == {"mosaic": 0.1}


def test_settings_whose_model_is_too_slow_cannot_win():
    found = picked(report_of(DEFAULTS, 0.4), report_of(LOW, 0.9, 1e3), report_of(HIGH, 0.45))

    assert found.recipe == {"mosaic": 0.9}


def test_without_the_defaults_the_best_of_the_others_wins():
    found = picked(report_of(LOW, 0.2), report_of(HIGH, 0.1))

    assert found.recipe == {"mosaic": 0.1}


@pytest.mark.parametrize("score", [-1.0])
def test_a_score_that_is_undefined_wins_nothing(score):
    found = picked(report_of(DEFAULTS, 0.4), report_of(LOW, score), report_of(HIGH, score))

    assert found.recipe == {}


def test_without_any_number_there_is_no_winner():
    with pytest.raises(UserError, match="none of 3 finalists has metrics"):
        picked()


def test_the_test_split_is_refused():
    with pytest.raises(UserError, match="a report is of the test split, expected validation"):
        picked(report_of(DEFAULTS, 0.4, split="test"))


@pytest.fixture
def outcome(tmp_path):
    """Run the wrapper on a search whose second finalist was lost on the way."""
    folder = {name: [] for name in ("trained", "packages", "reports")}

    def place(kind):
        folder[kind].append(dsl.Artifact(uri=str(tmp_path / f"{kind}-{len(folder[kind])}")))
        return folder[kind][-1].path

    short = [{**recipe, "epochs": 3} for recipe in [*FINALISTS, {"mosaic": 0.3}]]
    for recipe, score in zip(short, (0.3, 0.4, 0.5, 0.2), strict=True):
        info_of(recipe, score).write(TrainedLayout(place("trained")).info)
    for recipe, score in ((HIGH, 0.45), (DEFAULTS, 0.4)):
        package_of(recipe).write(PackageLayout(place("packages")).info)
        report_of(recipe, score).write(place("reports"))
    mark_absent(place("packages"), "it does not export")
    settings, page = tmp_path / "settings", tmp_path / "page.html"
    line = pick_settings.python_func(
        recipes=[recipe_text(recipe) for recipe in short],
        finalists=[recipe_text(recipe) for recipe in FINALISTS],
        settings=dsl.Artifact(uri=str(settings)), page=dsl.HTML(uri=str(page)), **folder,
    )  # fmt: skip
    return line, settings.read_text(), Path(page).read_text()


def test_the_settings_file_says_what_differs_and_where_it_comes_from(outcome):
    line, settings, _ = outcome

    assert read_recipe(settings) == recipe_from(line) == {"mosaic": 0.9}
    assert "# 4 trials on snapshot 555555555555, 3 of them trained for 9 epochs" in settings
    assert "new settings: mAP50-95 0.450, defaults 0.400, difference +0.050" in settings


def test_the_page_tells_every_trial_and_the_winner(outcome):
    _, _, page = outcome

    assert page.count('<span class="badge good">winner</span>') == 1
    for short in ("0.300", "0.400", "0.500", "0.200"):
        assert short in page
