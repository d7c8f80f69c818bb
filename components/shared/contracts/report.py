"""What the evaluator writes and the judge reads: models compared on the same frozen images."""

import math
from typing import Literal

from pydantic import Field

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.record import Record
from components.shared.contracts.values import Name, Sha256

Role = Literal["heir", "challenger", "champion"]
ROLES: tuple[Role, ...] = ("heir", "challenger", "champion")

COCO_METRICS = (
    "map", "map50", "map75", "map_small", "map_medium", "map_large",
    "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large",
)  # fmt: skip


NOT_MEASURABLE = "not measurable"


def measured(number: float | None) -> float | None:
    """Return a precision or recall, 0 to 1; None if there was nothing to measure it on.

    >>> measured(0.5), measured(-1.0), measured(math.nan), measured(None)
    (0.5, None, None, None)
    """
    return number if number is not None and 0 <= number <= 1 else None


def precision_text(number: float | None, digits: int = 3) -> str:
    """Return a precision or recall as people read it.

    >>> precision_text(0.5), precision_text(-1.0)
    ('0.500', 'not measurable')
    """
    known = measured(number)
    return NOT_MEASURABLE if known is None else f"{known:.{digits}f}"


class ModelReport(Record):
    """One model's numbers on the frozen test images."""

    role: Role
    model: Sha256 = Field(description="digest of the package that was evaluated")
    coco: dict[str, float] = Field(description="the twelve COCO numbers; -1 where undefined")
    slices: dict[str, dict[str, float]] = Field(
        description="mAP50 by kind of slice (class, size, camera, hour, crowding), then value"
    )
    latency_ms_p50: float
    latency_ms_p95: float
    size_bytes: int = Field(description="of all files of the package")
    memory_mb: float | None = Field(
        default=None, description="peak of a process that opened it and answered, one thread"
    )
    hard_kept: int = Field(default=0, description="hard cases that it gets right")

    @property
    def measurable(self) -> dict[str, float]:
        """Those of the COCO numbers that could be measured; the others are left out."""
        return {name: it for name, it in self.coco.items() if measured(it) is not None}

    @property
    def rank(self) -> float:
        """Its mAP50-95 to sort by; below all others if it is not measurable."""
        return self.measurable.get("map", -math.inf)


class Interval(Record):
    """How much higher a number is for a candidate than for the champion, and how sure that is."""

    gain: float
    low: float
    high: float


class Duel(Record):
    """A candidate against the champion, on resamples of the images that are the same for both."""

    role: Role
    map: Interval = Field(description="of mAP50-95")
    slices: dict[str, dict[str, Interval]] = Field(
        description="of mAP50 where the candidate is lower, by kind of slice, then by its value"
    )
    confidence: float = Field(description="share of the resamples between low and high, 0 to 1")
    resamples: int


class Report(Record):
    """All models of one comparison. A role that is absent says why in `absent`."""

    dataset: Name
    snapshot: Sha256
    split: str
    images: int
    boxes: int
    models: tuple[ModelReport, ...]
    absent: dict[str, str]
    slice_boxes: dict[str, dict[str, int]] = Field(
        default={}, description="true boxes by kind of slice, then by its value"
    )
    damaged: tuple[Role, ...] = Field(
        default=(), description="of the absent, those whose model is there but cannot be used"
    )
    duels: tuple[Duel, ...] = ()
    hard_cases: int = Field(default=0, description="of the champion's suite, those that were asked")

    def of(self, role: Role) -> ModelReport | None:
        """Return the numbers of one role, or None if it is absent."""
        return next((model for model in self.models if model.role == role), None)

    def duel(self, role: Role) -> Duel | None:
        """Return how one candidate did against the champion, or None if they never met."""
        return next((duel for duel in self.duels if duel.role == role), None)


class HardCase(Record):
    """One line of `hard.jsonl`: what a version got right where the one before it was wrong.

    Once won, it is not to be lost again; a suite of them travels with each version and
    only grows.
    """

    sha256: Sha256 = Field(description="of the image")
    kind: Literal["object", "nothing"] = Field(
        description="whether the box is an object to be found, or where nothing may be found"
    )
    box: Box


class Verdict(Record):
    """What to do, and the sentence that will be read when someone asks why."""

    winner: Literal["heir", "challenger", "none"]
    reason: str

    @property
    def markdown(self) -> str:
        """The verdict as people read it: who won and why; numbers may follow."""
        return f"**winner: {self.winner}**\n\n{self.reason}\n"

    @classmethod
    def from_markdown(cls, text: str) -> "Verdict":
        """Read a verdict back from its `markdown`, whatever follows the reason.

        >>> Verdict.from_markdown(Verdict(winner="heir", reason="better").markdown)
        Verdict(winner='heir', reason='better')
        """
        head, reason, *_ = [*text.split("\n\n"), ""]
        winner = head.removeprefix("**winner: ").removesuffix("**")
        return cls.model_validate({"winner": winner, "reason": reason.strip()})


class ReferenceFrame(Record):
    """One line of `reference.jsonl`: a held-out image as the champion saw it."""

    sha256: Sha256
    camera: str
    boxes: tuple[ScoredBox, ...]
    descriptors: dict[str, float] = Field(description="by `vision.descriptors`")


class FrameFinding(Record):
    """Something that is wrong with the frames of a window, whatever their distributions are."""

    kind: Literal["repeated", "blank", "cameras_gone", "pictures_gone"]
    detail: str


class DriftReport(Record):
    """How far a window of served frames is from the champion's held-out images."""

    dataset: Name
    model: Sha256 | None
    window: Sha256
    frames: int
    reference_frames: int
    distances: dict[str, float] = Field(description="by descriptor")
    thresholds: dict[str, float] = Field(description="by descriptor: what chance alone reaches")
    drifted: tuple[str, ...]
    enough: bool = Field(description="whether there are frames enough to say anything")
    changed: bool = Field(default=False, description="whether enough descriptors drifted together")
    reason: str
    findings: tuple[FrameFinding, ...] = ()

    @property
    def details(self) -> str:
        """What is wrong with the frames themselves, in one line; empty if nothing is."""
        return "; ".join(finding.detail for finding in self.findings)

    @property
    def usable(self) -> bool:
        """Whether the frames show the world, and not one picture or none."""
        return not any(finding.kind in ("repeated", "blank") for finding in self.findings)

    @property
    def suspicious(self) -> bool:
        """Whether a person should look at the frames, whatever the distributions say."""
        return any(finding.kind != "pictures_gone" for finding in self.findings)


class Decision(Record):
    """Whether to train again, always with its reason."""

    retrain: bool
    reason: str
