"""Compare the boxes of two models on the same images: counts, scores, share of boxes in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.shared.contracts.annotation import ScoredBox
from components.shared.vision.boxes import box_array, pairwise_iou

SAME_IOU = 0.5

Boxes = Sequence[ScoredBox]


@dataclass(frozen=True, slots=True)
class DetectionAgreement:
    """Counts of the boxes of two models on the same pictures.

    Attributes:
        pictures: Number of pictures that both answered.
        champion: Number of boxes of the champion.
        candidate: Number of boxes of the candidate.
        common: Number of matched pairs: one class, IoU of at least 0.5.
        champion_scores: Sum over the champion's boxes, 0 to 1 each.
        candidate_scores: Sum over the candidate's boxes.
    """

    pictures: int = 0
    champion: int = 0
    candidate: int = 0
    common: int = 0
    champion_scores: float = 0.0
    candidate_scores: float = 0.0

    @property
    def lost(self) -> float:
        """Share of the champion's boxes that the candidate does not find, 0 to 1."""
        return 1 - self.common / self.champion if self.champion else 0.0


def compare(pairs: Iterable[tuple[Boxes, Boxes]]) -> DetectionAgreement:
    """Match and count the boxes of each picture.

    Args:
        pairs: The champion's and the candidate's boxes about each picture.

    >>> car = ScoredBox(x_min=1, y_min=1, x_max=9, y_max=9, label="car", score=0.9)
    >>> found = compare([([car], [car]), ([car], [])])
    >>> found.pictures, found.common, found.lost
    (2, 1, 0.5)
    """
    pairs = list(pairs)
    return DetectionAgreement(
        pictures=len(pairs),
        champion=sum(len(champion) for champion, _ in pairs),
        candidate=sum(len(candidate) for _, candidate in pairs),
        common=sum(_common(champion, candidate) for champion, candidate in pairs),
        champion_scores=sum(box.score for champion, _ in pairs for box in champion),
        candidate_scores=sum(box.score for _, candidate in pairs for box in candidate),
    )


def _common(champion: Boxes, candidate: Boxes) -> int:
    """Count the pairs, the surest box of the candidate first, each box in one pair at most."""
    overlaps = pairwise_iou(box_array(candidate), box_array(champion))
    free, pairs = set(range(len(champion))), 0
    for place in sorted(range(len(candidate)), key=lambda index: -candidate[index].score):
        fits = [
            other
            for other in free
            if overlaps[place, other] >= SAME_IOU
            and champion[other].label == candidate[place].label
        ]
        if fits:
            free.remove(max(fits, key=lambda other: float(overlaps[place, other])))
            pairs += 1
    return pairs
