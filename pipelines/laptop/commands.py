"""What can be asked of a laptop home: the loop, one pipeline, a second training, serving."""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from components.contracts.refusal import Refusal
from pipelines.laptop import loop as whole
from pipelines.laptop.home import home
from pipelines.laptop.terminal import Terminal


def loop(data: str, name: str) -> int:
    """Run the whole loop, as `make run` does."""
    whole.loop(data, name)
    return 0


def run(name: str, parameters: Mapping[str, Any]) -> int:
    """Run one pipeline and print what its steps did."""
    with home() as up:
        story = whole.Story(str(parameters["dataset"]), up, Terminal())
        story.pipeline(name.capitalize(), name, parameters)
        story.ingested()
        story.terminal.steps(story.runs)
    return 0


def retrain(frames: int) -> int:
    """Label night and rain (the simulator's truth stands in for people) and train again.

    Raises:
        Refusal: If there is no champion to do better than.
    """
    with home() as up:
        story = whole.Story(whole.SIMULATED, up, Terminal())
        if not whole.is_served(story):
            raise Refusal(f"{whole.SIMULATED} has no model in service yet; `make run` makes one")
        story.job(
            "Labels", "simulate_cameras", dataset=story.dataset, frames=frames,
            conditions="night-rain", first_day="2026-01-12",
        )  # fmt: skip
        story.ingested()
        story.pipeline("Train", "train", {"dataset": story.dataset, "grow_test": True})
        story.terminal.steps(story.runs)
    return 0


def serve(port: int) -> int:
    """Keep the detectors served until someone stops it.

    Raises:
        Refusal: If there is no model to serve yet.
    """
    with home(detector_port=port) as up:
        url = up.env["DETECTOR_URL"]
        models = httpx.get(f"{url}/v2/models", timeout=10).json()["models"]
        if not models:
            raise Refusal(f"{up.state} holds no model to serve yet; `make run` makes one")
        print(f"serving {', '.join(models)} at {url}; stop with Ctrl-C. For example:")
        kind = "-H 'Content-Type: image/jpeg'"
        for name in models:
            print(f"  curl --data-binary @image.jpg {kind} {url}/v1/detect/{name}", flush=True)
        while True:
            up.must_run()
            time.sleep(0.5)
