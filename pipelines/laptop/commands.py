"""What can be asked of a laptop home: the loop, one pipeline, a second training, serving."""

import time
from collections.abc import Mapping
from typing import Any

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
    """Label night and rain (the simulator's truth stands in for people) and train again."""
    with home() as up:
        story = whole.Story(whole.SIMULATED, up, Terminal())
        story.job(
            "Labels", "simulate_cameras", dataset=story.dataset, frames=frames,
            conditions="night-rain", first_day="2026-01-12",
        )  # fmt: skip
        story.ingested()
        story.pipeline("Train", "train", {"dataset": story.dataset, "grow_test": True})
        story.terminal.steps(story.runs)
    return 0


def serve(port: int) -> int:
    """Keep the detectors served until someone stops it."""
    with home(detector_port=port) as up:
        url = up.env["DETECTOR_URL"]
        print(
            f"serving at {url}; stop with Ctrl-C\n"
            f"  curl --data-binary @image.jpg -H 'Content-Type: image/jpeg' "
            f"{url}/v1/detect/{whole.SIMULATED}",
            flush=True,
        )
        while True:
            up.must_run()
            time.sleep(0.5)
