"""Generate the catalogue of jobs in `components/README.md` from their signatures.

`python -m pipelines.policy.catalogue FILE` replaces what stands between the two markers.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from components.__main__ import JOBS
from components.shared.contracts.errors import UserError
from pipelines.policy.compiled import job_of

STAGES = ("data", "training", "tuning", "promotion", "serving", "monitoring")
IMAGES = Path(__file__).parents[2] / "images"
BEGIN, END = "<!-- catalogue: written by `make catalogue` -->", "<!-- end of the catalogue -->"
HEAD = """\
| job | what it does | image | pipelines | takes | gives |
|---|---|---|---|---|---|
"""


def catalogue() -> str:
    """Return a table of jobs for each stage, as Markdown."""
    return "\n".join(_stage(stage) for stage in STAGES)


def replaced(page: str) -> str:
    """Return a page with the current catalogue between its markers.

    Raises:
        UserError: If the markers are not there, once each.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise UserError(f"the page lacks {BEGIN!r} or {END!r}, expected each once")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{catalogue()}\n{END}{rest.split(END)[1]}"


def _stage(stage: str) -> str:
    jobs = sorted(job for job, module in JOBS.items() if module.split(".")[1] == stage)
    sentence = inspect.getdoc(import_module(f"components.{stage}"))
    return f"### {stage}\n\n{sentence}\n\n{HEAD}{''.join(_row(job) for job in jobs)}"


def _row(job: str) -> str:
    if find_spec(f"{JOBS[job]}.service"):
        what = inspect.getdoc(import_module(f"{JOBS[job]}.service")) or ""
        return f"| `{job}` (service) | {_sentence(what)} | {_image(job)} | | | |\n"
    wrapper = getattr(import_module(f"{JOBS[job]}.component"), job)
    used = ", ".join(name for name, jobs in _pipelines().items() if job in jobs)
    what = _sentence(inspect.getdoc(wrapper.python_func) or "")
    spec = wrapper.component_spec
    gives = {name: name for name in spec.outputs or ()} | {"Output": "its result"}
    given = ", ".join(gives[name] for name in spec.outputs or ())
    takes = ", ".join(_ordered(wrapper.python_func, spec.inputs or {}))
    return f"| `{job}` | {what} | {_image(job)} | {used} | {takes} | {given} |\n"


def _ordered(function: Callable[..., Any], inputs: dict[str, Any]) -> Iterator[str]:
    """Yield the inputs in the function's order: artifacts in bold, options with defaults."""
    for name, parameter in inspect.signature(function).parameters.items():
        if name in inputs and "." in inputs[name].type:
            yield f"**{name}**"
        elif name in inputs:
            optional = parameter.default is not inspect.Parameter.empty
            yield f"[{name}]" if optional else name


def _sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).rstrip(".")


def _image(job: str) -> str:
    """Return the image that runs a job; the last one, if several images hold it."""
    *_, last = (file for file in sorted(IMAGES.glob("*/Dockerfile")) if job in _run(file))
    return last.parent.name


def _run(dockerfile: Path) -> list[str]:
    """Return the jobs whose imports the build of an image checks."""
    lines = re.sub(r"\\\n", "", dockerfile.read_text()).splitlines()
    return next(line for line in lines if "python /check.py " in line).split()


@cache
def _pipelines() -> dict[str, set[str]]:
    """Return the names of each pipeline's jobs."""
    from pipelines.graphs import GRAPHS

    def jobs(graph: Any) -> set[str]:
        executors = graph.pipeline_spec.deployment_spec["executors"].values()
        return {job_of(each["container"]["args"]) for each in executors if "container" in each}

    return {name: jobs(graph) for name, graph in GRAPHS.items()}


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(replaced(page.read_text()))
