"""Write the HTML page of a search, and its YAML recipe for the next training."""

import json
from collections.abc import Sequence
from pathlib import Path

from components.shared.contracts.model import TrainedInfo
from components.shared.contracts.recipe import Recipe, followed
from components.shared.contracts.report import ModelReport, Report, precision_text
from components.shared.pages.chart import bar_chart
from components.shared.pages.fragments import Card, badge, cards, sentence, table, text
from components.shared.pages.page import Section, write_page
from components.tuning.pick_settings.pick import Pick


def write_search_page(
    page: str | Path, found: Pick, recipes: Sequence[Recipe], infos: Sequence[TrainedInfo]
) -> None:
    """Write the page.

    Args:
        page: The HTML file.
        found: The winner and the reason.
        recipes: All that were proposed, the defaults first.
        infos: What the first, short trainings left, in any order.
    """
    names = sorted({name for recipe in recipes for name in recipe} - {"epochs"})
    scores = {at: info.validation_map50 for at, info in followed(recipes, infos).items()}
    finalists = {_key(one.recipe): one for one in found.finalists}
    rows, bars = [], {}
    for at, recipe in enumerate(recipes):
        title = str(at or "defaults")
        finalist = finalists.get(_key(recipe))
        model = finalist.model if finalist else None
        won = badge("winner", "good") if finalist is found.winner else ""
        settings = [str(recipe.get(name, "")) for name in names]
        short = precision_text(scores[at]) if at in scores else ""
        rows.append((title, won, *_numbers(model), short, *settings))
        if finalist and finalist.score >= 0:
            bars[title] = finalist.score
    head = ("trial", "", "mAP50-95", "mAP50", "p95, ms", "size, MB", "mAP50, short", *names)
    chart = bar_chart(
        list(bars), {"mAP50-95": list(bars.values())}, title="mAP50-95 on the validation split"
    )
    note = text("The test split was not used for this choice.")
    write_page(
        page,
        "Hyperparameter search",
        [
            Section("Result", [cards(*_cards(found, len(recipes)))]),
            Section("All trials", [table(head, rows)]),
            Section("Finalists, trained in full", [chart, note]),
        ],
        sentence(found.reason),
    )


def settings_file(found: Pick, report: Report, trials: int) -> str:
    """Return YAML of the settings that differ from the defaults, and where they come from.

    Args:
        found: The winner and the reason.
        report: Of any finalist: on what they were compared.
        trials: Number of trials.
    """
    epochs = found.winner.recipe.get("epochs")
    lines = [
        f"# Settings for training on {report.dataset}, found by the tune pipeline.",
        f"# {trials} trials on snapshot {report.snapshot[:12]}, {len(found.finalists)} of them "
        f"trained for {epochs} epochs",
        f"# and compared on {report.images:,} validation images: {found.reason}.",
        f"# To use them: python -m pipelines run train --dataset {report.dataset} --recipe @FILE",
        *(f"{name}: {json.dumps(value)}" for name, value in sorted(found.recipe.items())),
    ]
    return "\n".join(lines) + "\n"


def _cards(found: Pick, trials: int) -> list[Card]:
    chosen = ", ".join(f"{name} {value}" for name, value in sorted(found.recipe.items()))
    return [
        Card("best mAP50-95", found.winner.score, "on the validation split"),
        Card("trials", trials, f"{len(found.finalists)} trained in full"),
        Card("settings", "new" if chosen else "defaults", chosen or "none is better"),
    ]


def _numbers(model: ModelReport | None) -> list[str]:
    if model is None:
        return [""] * 4
    coco = (precision_text(model.coco.get(name)) for name in ("map", "map50"))
    size = f"{model.size_bytes / 1e6:.1f}"
    return [*coco, f"{model.latency_ms_p95:.1f}", size]


def _key(recipe: Recipe) -> frozenset[tuple[str, object]]:
    """Return what a recipe is known by in both rounds."""
    return frozenset((name, value) for name, value in recipe.items() if name != "epochs")
