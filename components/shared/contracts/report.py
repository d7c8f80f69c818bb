"""Records of evaluation and monitoring: metrics of models, comparison, verdict, drift, decision."""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.record import Record
from components.shared.contracts.values import Name, Sha256

# Roles of reports that were written before, and what they are called now.
FORMER_ROLES = {"heir": "fine_tuned", "challenger": "from_scratch"}


def _renamed(role: Any) -> Any:
    return FORMER_ROLES.get(role, role) if isinstance(role, str) else role


Role = Annotated[Literal["fine_tuned", "from_scratch", "champion"], BeforeValidator(_renamed)]
Winner = Literal["fine_tuned", "from_scratch", "none"]
ROLES: tuple[Role, ...] = ("fine_tuned", "from_scratch", "champion")
LABELS: dict[Role, str] = {
    "fine_tuned": "fine-tuned candidate",
    "from_scratch": "candidate from scratch",
    "champion": "champion",
}  # in sentences

COCO_METRICS = (
    "map", "map50", "map75", "map_small", "map_medium", "map_large",
    "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large",
)  # fmt: skip


NOT_MEASURABLE = "not measurable"


def measured(number: float | None) -> float | None:
    """Return a precision or recall, 0 to 1; None if it could not be measured.

    >>> measured(0.5), measured(-1.0), measured(math.nan), measured(None)
    (0.5, None, None, None)
    """
    return number if number is not None and 0 <= number <= 1 else None


def precision_text(number: float | None, digits: int = 3) -> str:
    """Return a precision or recall as text.

    Args:
        number: 0 to 1; None or NaN if not measurable.
        digits: Digits after the point.

    >>> precision_text(0.5), precision_text(-1.0)
    ('0.500', 'not measurable')
    """
    known = measured(number)
    return NOT_MEASURABLE if known is None else f"{known:.{digits}f}"


class ModelReport(Record):
    """Metrics of one model on the frozen test images."""

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
        """The COCO metrics that could be measured."""
        return {name: it for name, it in self.coco.items() if measured(it) is not None}

    @property
    def rank(self) -> float:
        """mAP50-95 as a sort key; below all others if it could not be measured."""
        return self.measurable.get("map", -math.inf)


class Interval(Record):
    """Difference of a metric, candidate minus champion, with its confidence interval."""

    gain: float
    low: float
    high: float


class Duel(Record):
    """Paired bootstrap comparison of a candidate with the champion."""

    role: Role
    map: Interval = Field(description="of mAP50-95")
    slices: dict[str, dict[str, Interval]] = Field(
        description="of mAP50 where the candidate is lower, by kind of slice, then by its value"
    )
    confidence: float = Field(description="share of the resamples between low and high, 0 to 1")
    resamples: int


class Report(Record):
    """Metrics of all models of one comparison; `absent` has the reason of each absent role."""

    dataset: Name
    snapshot: Sha256
    split: str
    images: int
    boxes: int
    models: tuple[ModelReport, ...]
    absent: dict[Role, str]
    slice_boxes: dict[str, dict[str, int]] = Field(
        default={}, description="true boxes by kind of slice, then by its value"
    )
    damaged: tuple[Role, ...] = Field(
        default=(), description="of the absent, those whose model is there but cannot be used"
    )
    duels: tuple[Duel, ...] = ()
    hard_cases: int = Field(default=0, description="of the champion's suite, those that were asked")

    def of(self, role: Role) -> ModelReport | None:
        """Return the metrics of one role, or None if it is absent."""
        return next((model for model in self.models if model.role == role), None)

    def duel(self, role: Role) -> Duel | None:
        """Return the comparison of a candidate with the champion, or None if there is none."""
        return next((duel for duel in self.duels if duel.role == role), None)


class HardCase(Record):
    """One line of `hard.jsonl`: a box that a version found and its predecessor did not.

    Once won, it is not to be lost again; a suite of them travels with each version and
    only grows.
    """

    sha256: Sha256 = Field(description="of the image")
    kind: Literal["object", "nothing"] = Field(
        description="whether the box is an object to be found, or where nothing may be found"
    )
    box: Box


class Verdict(Record):
    """`verdict.json`: decision of a comparison, with its reason and the limits that it applied."""

    winner: Winner
    reason: str
    policy: PromotionPolicy


class VerdictLayout:
    """Files of a verdict."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.verdict = self.root / "verdict.json"


class ReferencesLayout:
    """Files of the references of an evaluation: held-out frames and hard cases of each role."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def frames(self, role: Role) -> Path:
        """Return the file of a role's held-out frames, lines of `ReferenceFrame`."""
        return self.root / f"{role}.jsonl"

    def hard(self, role: Role) -> Path:
        """Return the file of a role's regression suite, lines of `HardCase`."""
        return self.root / f"{role}.hard.jsonl"


class ReferenceFrame(Record):
    """One line of `reference.jsonl`: the champion's descriptors of a held-out image."""

    sha256: Sha256
    camera: str
    boxes: tuple[ScoredBox, ...]
    descriptors: dict[str, float] = Field(description="by `vision.descriptors`")


class FrameFinding(Record):
    """A fault of the frames of a window, independent of their distributions."""

    kind: Literal["repeated", "blank", "cameras_gone", "pictures_gone"]
    detail: str


class DriftReport(Record):
    """Drift of a window of served frames from the champion's held-out images."""

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
        """Faults of the frames, on one line; empty if there are none."""
        return "; ".join(finding.detail for finding in self.findings)

    @property
    def usable(self) -> bool:
        """Whether the frames show a scene, not the same image again or none."""
        return not any(finding.kind in ("repeated", "blank") for finding in self.findings)

    @property
    def suspicious(self) -> bool:
        """Whether a person should inspect the frames, independent of the distributions."""
        return any(finding.kind != "pictures_gone" for finding in self.findings)


class Decision(Record):
    """Decision whether to train again, with its reason."""

    retrain: bool
    reason: str
