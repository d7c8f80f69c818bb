"""A model is in service when it answers known pictures rightly where people ask, or not at all.

Every step may be repeated: killed at any line and run again, it ends the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

from components.contracts.model import DetectAnswer, GoldenAnswer, PackageLayout
from components.contracts.record import read_lines
from components.contracts.refusal import Refusal
from components.deploy_model.targets import Fetch, Target, Unreachable
from components.inference.golden import differs
from components.store.registry import PromotionConflict, Version

Answers = list[DetectAnswer | None]


class Register(Protocol):
    """Who serves, as far as a deployment must know; `store.registry.Registry` is the one."""

    def champion(self, dataset: str) -> Version | None:
        """Return the version in service."""

    def has_served(self, version: Version) -> bool:
        """Say whether a version was champion before."""

    def promote(self, dataset: str, model: str, expected_champion: str | None) -> Version:
        """Put a version in service, if who serves is still who the caller saw."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What was done: a page and a sentence for people."""

    page: str
    sentence: str


def deploy(register: Register, target: Target, version: Version, fetch: Fetch) -> Rollout:
    """Put a version in service, prove it there, and promote it.

    Args:
        register: Knows the champion.
        target: Where the dataset is served.
        version: What shall serve; it has served before, or was compared with who serves.
        fetch: Copies the package to a folder.

    Raises:
        Refusal: If the model is not what it says, answers otherwise, or another one was
            promoted meanwhile. What served before then serves again.
        PromotionConflict: If it was compared with another model than the champion.
    """
    dataset, model = version.dataset, version.model
    champion = register.champion(dataset)
    expected = champion.model if champion else None
    if model != expected and not register.has_served(version):
        _check_compared(version, expected)
    package = PackageLayout(target.hold(dataset, model, fetch))
    golden = read_lines(GoldenAnswer, package.golden)
    before = _ask(target, dataset, package.root, golden)
    served = {answer.model for answer in before if answer}
    if served == {model} and expected == model:
        return Rollout(f"{model[:12]} serves {dataset} already.\n", f"{model[:12]} serves already")
    others = [digest for digest in (*served, expected) if digest and digest != model]
    try:
        target.switch(dataset, model)
        after = _ask(target, dataset, package.root, golden)
        _check(model, package.verify().postprocessing.score_threshold, golden, after)
    except Refusal as cause:
        now = _restore(target, dataset, others)
        raise Refusal(f"{model[:12]} is not put in service, {now}: {cause}") from cause
    _promote(register, target, dataset, model, expected)
    return _told(model, golden, before, after)


def _check_compared(version: Version, champion: str | None) -> None:
    if version.compared_with != champion:
        then, now = ((digest or "nothing")[:12] for digest in (version.compared_with, champion))
        raise PromotionConflict(
            f"{version.name} was compared with {then}, but {now} is in service: "
            "train again, so that both are compared"
        )


def _restore(target: Target, dataset: str, others: Sequence[str]) -> str:
    """Let the first of some models serve that can, and say which one does."""
    for old in others:
        try:
            target.switch(dataset, old)
        except Unreachable:
            return f"{old[:12]} will serve again"
        except Refusal:
            continue
        return f"{old[:12]} serves again"
    target.switch(dataset, None)
    return "nothing serves"


def _promote(
    register: Register, target: Target, dataset: str, model: str, expected: str | None
) -> None:
    try:
        register.promote(dataset, model, expected)
    except PromotionConflict:
        now = register.champion(dataset)
        _restore(target, dataset, [now.model] if now else [])
        raise


def _ask(target: Target, dataset: str, root: Path, golden: Sequence[GoldenAnswer]) -> Answers:
    return [target.ask(dataset, (root / known.file).read_bytes()) for known in golden]


def _check(
    model: str, score_threshold: float, golden: Sequence[GoldenAnswer], answers: Answers
) -> None:
    for known, answer in zip(golden, answers, strict=True):
        if answer is None or answer.model != model:
            who = answer.model[:12] if answer else "nothing"
            raise Refusal(f"{who} answered {known.file}, expected {model[:12]}")
        difference = differs(known.boxes, answer.boxes, score_threshold)
        if difference:
            raise Refusal(f"{known.file} is answered otherwise: {difference}")


def _told(model: str, golden: Sequence[GoldenAnswer], before: Answers, after: Answers) -> Rollout:
    rows = [
        f"| {known.file} | {len(known.boxes)} | {_cell(old)} | {_cell(new)} |"
        for known, old, new in zip(golden, before, after, strict=True)
    ]
    head = ["| picture | boxes expected | before | after |", "|---|---|---|---|"]
    latency_ms = median(answer.latency_ms for answer in after if answer)
    sentence = f"serving {model[:12]}: {len(golden)} golden answers right, {latency_ms:.0f} ms"
    return Rollout("\n".join([*head, *rows, "", f"{sentence}.", ""]), sentence)


def _cell(answer: DetectAnswer | None) -> str:
    if answer is None:
        return "nobody answered"
    return f"{len(answer.boxes)} by {answer.model[:12]} in {answer.latency_ms:.1f} ms"
