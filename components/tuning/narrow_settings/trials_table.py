"""Format all trials as a table: settings, score, and whether they go on."""

from collections.abc import Sequence

from components.shared.contracts.report import precision_text
from components.shared.pages.markdown import markdown_table
from components.tuning.narrow_settings.narrow import Trial


def table_of(trials: Sequence[Trial], reasons: Sequence[str]) -> str:
    """Return the table as Markdown.

    Args:
        trials: In the order in which they were proposed.
        reasons: Why some could not be trained.
    """
    names = sorted({name for trial in trials for name in trial.recipe} - {"epochs"})
    head = ["trial", *names, "validation mAP50", ""]
    rows = []
    for number, trial in enumerate(trials):
        settings = [str(trial.recipe.get(name, "")) for name in names]
        score = precision_text(trial.info.validation_map50) if trial.info else "not trained"
        last = "continues" if trial.goes_on else "stopped"
        rows.append([number or "defaults", *settings, score, last])
    failed = [f"* not trained: {reason}" for reason in reasons]
    return "\n".join([markdown_table(head, rows), "", *failed]) + "\n"
