"""Lint compiled pipelines: run every rule, and print the findings."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pipelines.graphs import GRAPHS, write_package
from pipelines.policy import rules
from pipelines.policy.compiled import Compiled

RULES: Mapping[str, rules.Rule] = {
    "image": rules.image_is_ours,
    "resources": rules.has_resources,
    "root": rules.is_not_root,
    "retry": rules.is_tried_again,
    "outage": rules.waits_for_outages,
    "timeout": rules.has_timeout,
    "cache": rules.is_never_cached,
    "secret": rules.holds_no_secret,
    "install": rules.installs_nothing,
    "access": rules.reads_only_its_own,
    "artifact": rules.takes_an_artifact_once,
    "exit": rules.has_exit,
    "parameter": rules.has_described_parameters,
}
WORKING = {"tag": rules.image_has_tag}  # on the way
RELEASED = {"digest": rules.image_has_digest}  # instead, for what people rely on


class Violation(NamedTuple):
    """One violation of a rule.

    Attributes:
        file: The compiled pipeline.
        rule: Name of the rule.
        where: Path of the task or parameter.
        sentence: The violation, and what was expected.
    """

    file: str
    rule: str
    where: str
    sentence: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        place = f"{self.where} " if self.where else ""
        return f"{self.file}: [{self.rule}] {place}{self.sentence}"


def findings(pipeline: Compiled, *, release: bool = False) -> list[Violation]:
    """Return the violations in a pipeline, in the order of the rules.

    Args:
        pipeline: One compiled pipeline.
        release: Whether its images must be named by digest; otherwise a tag will do.
    """
    asked = {**RULES, **(RELEASED if release else WORKING)}
    return [
        Violation(pipeline.name, name, *broken)
        for name, rule in asked.items()
        for broken in rule(pipeline)
    ]


def lint(files: Iterable[str], *, release: bool = False) -> int:
    """Print the violations in files, and return the exit code: 1 if there are any.

    Args:
        files: Compiled pipelines; none compiles all graphs anew.
        release: Whether images must be named by digest.

    Raises:
        UserError: If a file is no compiled pipeline.
        OSError: If a file cannot be read.
    """
    pipelines = [Compiled.read(Path(file)) for file in files] or _compiled()
    found = [each for pipeline in pipelines for each in findings(pipeline, release=release)]
    tasks = sum(len(pipeline.tasks) for pipeline in pipelines)
    print(*found, sep="\n", end="\n" if found else "")
    print(
        f"{len(pipelines)} pipelines, {tasks} tasks, {len(RULES) + 1} rules: "
        f"{len(found) or 'no'} finding{'' if len(found) == 1 else 's'}"
    )
    return 1 if found else 0


def _compiled() -> list[Compiled]:
    with TemporaryDirectory() as folder:
        read = [Compiled.read(write_package(name, Path(folder))) for name in GRAPHS]
    return [
        Compiled(Path(pipeline.name).stem, pipeline.spec, pipeline.platform) for pipeline in read
    ]
