"""The whole loop on one machine: import, train, deploy, canary drill, serve, watch for drift."""

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.data.ingest_events.wait import wait_until_ingested
from components.shared.contracts.errors import UserError
from components.shared.settings.policy_file import policy_from
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry
from components.shared.store.stream import stream_id
from pipelines.local.canary_failure_drill import drill
from pipelines.local.local_stack import LocalStack, local_stack
from pipelines.local.processor import recipe_here
from pipelines.local.run import LocalRun, run_job, run_pipeline
from pipelines.local.summary_page import write_summary_page
from pipelines.local.terminal import Terminal
from pipelines.parameters import checked

SIMULATED = "car-parks"
TRAINING_FRAMES = 600
IMAGE_SIZE = 384  # pixels: what two cores learn from within minutes
LIVE_FRAMES = 80
LIVE = (("the same conditions", "same"), ("night and rain", "night-rain"))


class StepFailedError(UserError):
    """A step of the loop failed; the message is the step's error."""


@dataclass
class Story:
    """The runs of the loop so far, for the table and the summary page.

    Attributes:
        dataset: Name of the dataset.
        stack: The running services.
        terminal: Prints the progress.
        runs: The runs of pipelines and jobs in order, each with its title.
    """

    dataset: str
    stack: LocalStack
    terminal: Terminal
    runs: list[tuple[str, LocalRun]] = field(default_factory=list)

    def train(self, **more: Any) -> LocalRun:
        """Run the train pipeline with settings that suit this machine."""
        best = {"image_size": IMAGE_SIZE, "recipe": recipe_here()}
        return self.pipeline("Train", "train", {"dataset": self.dataset, **best, **more})

    def job(self, title: str, name: str, **options: Any) -> LocalRun:
        """Run one job; raise StepFailedError if it fails.

        Args:
            title: Title in the table.
            name: Name of the job.
            **options: Options of the job's command line.
        """
        self.terminal.heading(title)
        return self._checked(title, run_job(self.stack, name, options, self.terminal.line))

    def pipeline(self, title: str, name: str, parameters: Mapping[str, Any]) -> LocalRun:
        """Run one pipeline; raise StepFailedError if it fails.

        Args:
            title: Title in the table.
            name: Command-line name of the pipeline.
            parameters: Pipeline parameters by name.
        """
        self.terminal.heading(title)
        return self._checked(title, run_pipeline(self.stack, name, parameters, self.terminal.line))

    def drill(self, title: str) -> LocalRun:
        """Run the canary failure drill; raise StepFailedError if there is no rollback."""
        self.terminal.heading(title)
        return self._checked(title, drill(self.stack, self.dataset, self.terminal.line))

    def ingested(self) -> None:
        """Wait until all events that were sent are in the database."""
        env = self.stack.env
        servers = env["KAFKA_BOOTSTRAP_SERVERS"]
        wait_until_ingested(
            env["DATABASE_URL"],
            servers,
            stream_id(servers, env.get("KAFKA_STREAM_ID")),
            meanwhile=self.stack.must_run,
        )

    def _checked(self, title: str, run: LocalRun) -> LocalRun:
        self.runs.append((title, run))
        if run.failed:
            raise StepFailedError(f"{title}: {run.cause}")
        return run


def loop(data: str, name: str) -> Path:
    """Run the loop once and return the path of the summary page.

    Args:
        data: Folder of labelled images; empty draws simulated cameras.
        name: Name of the dataset; empty takes it from the folder.

    Raises:
        UserError: If the data or the name cannot be used, or a step failed.
    """
    if data and not Path(data).is_dir():
        kind = "is a file" if Path(data).exists() else "does not exist"
        raise UserError(f"DATA={data} {kind}, expected a folder of labelled images")
    dataset = name or (slug(Path(data).resolve().name) if data else SIMULATED)
    checked("train", {"dataset": dataset})
    with local_stack() as stack:
        story = Story(dataset, stack, Terminal())
        _arrive(story, data)
        _must_be_enough(story)
        train = story.train()
        if is_served(story):
            for title, condition in LIVE:
                _live(story, title, train, condition, simulated=not data)
                if condition == "same" and stack.detectors:
                    story.drill("Drill: the candidate server is killed during a canary")
                story.pipeline(f"Watch, {title}", "watch", {"dataset": dataset})
            story.pipeline("Batch inference", "batch", {"dataset": dataset})
        else:
            story.terminal.say("\nno model is in service: monitoring is skipped")
        page = write_summary_page(story.runs, dataset, stack)
        story.terminal.steps(story.runs)
        _next(story, train, page)
        return page


def is_served(story: Story) -> bool:
    """Return whether the dataset has a champion."""
    with closing(connect(story.stack.env["DATABASE_URL"])) as connection:
        return Registry(connection).champion(story.dataset) is not None


def slug(name: str) -> str:
    """Return a valid dataset name: lower case, digits and hyphens.

    >>> slug("Highway_Vehicles (v2)")
    'highway-vehicles-v2'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-") or "images"


def _arrive(story: Story, data: str) -> None:
    if data:
        source = str(Path(data).resolve())
        story.job("Import", "import_dataset", dataset=story.dataset, source=source)
    else:
        story.job("Cameras", "simulate_cameras", dataset=story.dataset, frames=TRAINING_FRAMES)
    story.ingested()


def _must_be_enough(story: Story) -> None:
    """Raise if there are too few images to train on, before a pipeline is started."""
    with closing(connect(story.stack.env["DATABASE_URL"])) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT count(*), coalesce(sum(jsonb_array_length(boxes)), 0)"
            " FROM gold.labelled_frames WHERE dataset = %s",
            (story.dataset,),
        )
        ((images, boxes),) = cursor.fetchall()
    if why := policy_from(story.stack.env).validation.too_small(images, int(boxes)):
        raise UserError(f"{story.dataset} cannot be trained on: {why}")


def _live(story: Story, title: str, train: LocalRun, condition: str, simulated: bool) -> None:
    env, seen = story.stack.env, _windows(story)
    title = f"Live frames, {title}"
    common = {"dataset": story.dataset, "frames": LIVE_FRAMES, "endpoint": env["DETECTOR_URL"]}
    if simulated:
        conditions = "day,dusk" if condition == "same" else condition
        day = f"2026-{2 + seen // 28 % 11:02d}-{1 + seen % 28:02d}"
        story.job(
            title, "simulate_cameras", **common, labelled=False, days=1, first_day=day,
            conditions=conditions,
        )  # fmt: skip
    else:
        snapshot = train.artifact("snapshot-dataset", "snapshot")
        story.job(
            title, "replay_frames", **common, snapshot=snapshot, condition=condition, seed=seen
        )
    story.ingested()


def _windows(story: Story) -> int:
    """Count the windows judged so far, so that each run's live frames are new ones."""
    with closing(connect(story.stack.env["DATABASE_URL"])) as connection:
        return Registry(connection).count_decisions(story.dataset)


def _next(story: Story, train: LocalRun, page: Path) -> None:
    evaluated = train.step("evaluate-detector")
    judged = train.step("judge-model")
    story.terminal.heading("Model")
    for step in (evaluated, judged):
        story.terminal.say(f"  {step.progress}" if step else "")
    story.terminal.heading(f"Summary page: {page}")
    advice = [
        ("make serve", "serve the model, to send it your JPEGs"),
        ("make run DATA=folder [NAME=name]", "run the loop with your own labelled images"),
        (".venv/bin/python -m pipelines --help", "run one pipeline at a time"),
    ]
    if story.dataset == SIMULATED:
        advice.insert(0, ("make retrain", "label the drifted frames and train again"))
    story.terminal.say("Next steps:")
    for command, what in advice:
        story.terminal.say(f"  {command:<38}{what}")
