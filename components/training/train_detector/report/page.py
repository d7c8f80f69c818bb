"""Write the HTML page with the learning curves of a training: losses and mAP."""

from pathlib import Path

from markupsafe import Markup

from components.shared.contracts.absence import absence
from components.shared.contracts.model import TrainedInfo, TrainedLayout
from components.shared.contracts.record import read_lines
from components.shared.contracts.report import precision_text
from components.shared.pages.chart import line_chart
from components.shared.pages.fragments import Card, breakable, cards, columns, sentence, table
from components.shared.pages.page import Section, write_page
from components.training.train_detector.plan.history import Epoch


def write_training_page(trained: Path, page: Path) -> None:
    """Plot a trained model's history, or write why there is none.

    Args:
        trained: Laid out as `contracts.model.TrainedLayout`, or absent.
        page: The HTML file to write.
    """
    layout = TrainedLayout(trained)
    if reason := absence(trained):
        write_page(page, "Training skipped", [], sentence(reason))
        return
    info, epochs = TrainedInfo.read(layout.info), read_lines(Epoch, layout.history)
    sections = [
        Section("Result", [cards(*_key_numbers(info, epochs))]),
        Section("Learning curves", [columns(_precision(epochs), _losses(epochs), _rate(epochs))]),
        Section("Lineage and settings", [table(("name", "value"), _origins(info))]),
    ]
    best = (
        f"Validation mAP50 {precision_text(info.validation_map50)}, best epoch {info.best_epoch}."
    )
    write_page(page, f"Training on {info.lineage.dataset}", sections, best)


def _key_numbers(info: TrainedInfo, epochs: list[Epoch]) -> list[Card]:
    return [
        Card("validation mAP50", precision_text(info.validation_map50)),
        Card("best epoch", info.best_epoch, f"of {len(epochs)}"),
        Card("network", info.size, f"{info.image_width}x{info.image_height} pixels"),
    ]


def _precision(epochs: list[Epoch]) -> Markup:
    known = [(one.epoch, one.map50) for one in epochs if one.map50 is not None]
    return line_chart(
        [epoch for epoch, _ in known],
        {"mAP50": [map50 for _, map50 in known]},
        title="mAP50 of the averaged weights on the validation split"
        if known
        else "mAP50 is not measurable: no validation image has a box",
        x_label="epoch",
        y_range=(0, 1),
    )


def _losses(epochs: list[Epoch]) -> Markup:
    parts = {
        "total": [one.loss for one in epochs],
        "class": [one.class_loss for one in epochs],
        "box": [one.box_loss for one in epochs],
        "distances": [one.distance_loss for one in epochs],
    }
    return line_chart(
        [one.epoch for one in epochs], parts, title="Losses on the training split", x_label="epoch"
    )


def _rate(epochs: list[Epoch]) -> Markup:
    return line_chart(
        [one.epoch for one in epochs],
        {"learning rate": [one.learning_rate for one in epochs]},
        title="Learning rate at the end of each epoch",
        x_label="epoch",
    )


def _origins(info: TrainedInfo) -> list[tuple[str, str]]:
    lineage = info.lineage
    settings = {name: str(value) for name, value in sorted(lineage.settings.items())}
    made_from = {"snapshot": lineage.snapshot, "code": lineage.code, "start": lineage.start}
    return [
        *((name, breakable(value)) for name, value in made_from.items()),
        ("seed", str(lineage.seed)),
        *settings.items(),
        ("classes", ", ".join(info.classes)),
    ]
