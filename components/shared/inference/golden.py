"""Check a model against the golden images of its package: known images and expected boxes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import PackageError, PackageLayout
from components.shared.contracts.policy import GoldenPolicy

TOLERANCE = GoldenPolicy()
Answer = Callable[[bytes], Sequence[ScoredBox]]


def check_golden(
    folder: str | Path, answer: Answer, score_threshold: float, tolerance: GoldenPolicy = TOLERANCE
) -> int:
    """Check the answers to all golden images of a package, and return their number.

    Args:
        folder: A verified `PackageLayout`.
        answer: Returns the boxes of a JPEG.
        score_threshold: Threshold of the package; a box with about this score may be missing.
        tolerance: By how much boxes and scores may differ.

    Raises:
        PackageError: At the first wrong answer, or if the package has no golden image.
    """
    answers = PackageLayout(folder).golden_answers()
    for golden in answers:
        found = answer((Path(folder) / golden.file).read_bytes())
        difference = differs(golden.boxes, found, score_threshold, tolerance)
        if difference:
            raise PackageError(f"{golden.file} is answered differently: {difference}")
    return len(answers)


def differs(
    expected: Sequence[ScoredBox],
    found: Sequence[ScoredBox],
    score_threshold: float,
    tolerance: GoldenPolicy = TOLERANCE,
) -> str | None:
    """Return the first difference between two answers in words, or None if they are equal.

    Args:
        expected: Boxes of the golden answer.
        found: Boxes of the answer to check.
        score_threshold: Threshold of the package; a box with about this score may be missing.
        tolerance: By how much boxes and scores may differ: processors round differently.

    >>> car = ScoredBox(x_min=1, y_min=1, x_max=9, y_max=9, label="car", score=0.9)
    >>> differs([car], [car.model_copy(update={"score": 0.893})], 0.25)
    >>> differs([car], [], 0.25)
    'no car at 1, 1 to 9, 9 (score 0.90)'
    >>> differs([], [car], 0.25)
    'an unexpected car at 1, 1 to 9, 9 (score 0.90)'
    """
    left, sure = list(found), score_threshold + tolerance.max_score_change
    for box in expected:
        match = next((other for other in left if _same(box, other, tolerance)), None)
        if match:
            left.remove(match)
        elif box.score > sure:
            return f"no {_describe(box)}"
    strange = [box for box in left if box.score > sure]
    return f"an unexpected {_describe(strange[0])}" if strange else None


def _same(first: ScoredBox, second: ScoredBox, tolerance: GoldenPolicy) -> bool:
    edges = ("x_min", "y_min", "x_max", "y_max")
    moved = max(abs(getattr(first, edge) - getattr(second, edge)) for edge in edges)
    rescored = abs(first.score - second.score)
    near = moved <= tolerance.max_shift_px and rescored <= tolerance.max_score_change
    return first.label == second.label and near


def _describe(box: ScoredBox) -> str:
    corners = f"{box.x_min:.4g}, {box.y_min:.4g} to {box.x_max:.4g}, {box.y_max:.4g}"
    return f"{box.label} at {corners} (score {box.score:.2f})"
