"""Regression suite: boxes that a champion found and its predecessor did not (hard cases).

Every later candidate is tested on them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from components.promotion.evaluate_detector.errors import NEAR_OBJECT, SAME_OBJECT
from components.promotion.evaluate_detector.predict import Predictions
from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.policy import EvaluationPolicy
from components.shared.contracts.record import canonical
from components.shared.contracts.report import HardCase, Role
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.vision.boxes import box_array, pairwise_iou

POLICY = EvaluationPolicy()


def valid(cases: Iterable[HardCase], images: Iterable[SnapshotImage]) -> list[HardCase]:
    """Return the cases that can be tested: the image exists, and its labels agree with the case.

    A case whose image was erased, or whose box was corrected since, stays in the suite but is
    not tested.

    Args:
        cases: The cases of a suite.
        images: The test split as it is now.
    """
    truth = {image.sha256: image.boxes for image in images}
    return [case for case in cases if case.sha256 in truth and _holds(case, truth[case.sha256])]


def kept(case: HardCase, answer: Sequence[ScoredBox]) -> bool:
    """Return whether the boxes of a model on the image of a case are right.

    Args:
        case: The hard case.
        answer: Boxes that the model would serve on its image.
    """
    return _overlaps(case.box, answer, SAME_OBJECT) == (case.kind == "object")


def won(
    images: Iterable[SnapshotImage],
    candidate: Predictions,
    champion: Predictions,
    classes: Sequence[str],
    policy: EvaluationPolicy = POLICY,
) -> list[HardCase]:
    """Return new hard cases: a candidate is surely right where the champion was surely wrong.

    These are objects for which the champion has no box at any score, and sure boxes of the
    champion where nothing is and the candidate has no box at any score.

    Args:
        images: The test split.
        candidate: Predictions of the candidate.
        champion: Predictions of the champion.
        classes: Names of the classes that count.
        policy: Score of a sure box, and most new cases.
    """
    least = policy.min_hard_score
    objects: list[tuple[float, HardCase]] = []
    nothing: list[tuple[float, HardCase]] = []
    for image in images:
        candidate_boxes = candidate.boxes[image.sha256]
        champion_boxes = champion.boxes[image.sha256]
        truth = [box for box in image.boxes if box.label in classes]
        objects += [
            (box.area, HardCase(sha256=image.sha256, kind="object", box=box))
            for box in truth
            if not _overlaps(box, champion_boxes, SAME_OBJECT)
            and _overlaps(box, list(_sure(candidate.served(candidate_boxes), least)), SAME_OBJECT)
        ]
        nothing += [
            (box.score, HardCase(sha256=image.sha256, kind="nothing", box=_unscored(box)))
            for box in _sure(champion.served(champion_boxes), least)
            if box.label in classes
            and not _overlaps(box, candidate_boxes, SAME_OBJECT)
            and not _touched(box, image.boxes)
        ]
    return [case for kind in (objects, nothing) for case in _first(kind, policy)]


def grown(suite: Iterable[HardCase], new: Iterable[HardCase]) -> list[HardCase]:
    """Return a suite with new cases added, without duplicates, in a fixed order.

    Args:
        suite: The cases of the champion.
        new: The cases to add.
    """
    return sorted({*suite, *new}, key=lambda case: canonical(case.model_dump(mode="json")))


def count_kept(cases: Iterable[HardCase], answers: Predictions) -> int:
    """Return the number of cases that a model gets right, with the boxes that it would serve.

    Args:
        cases: The cases to test.
        answers: Predictions of the model.
    """
    return sum(kept(case, answers.served(answers.boxes[case.sha256])) for case in cases)


def _holds(case: HardCase, truth: Sequence[Box]) -> bool:
    if case.kind == "object":
        return _overlaps(case.box, truth, SAME_OBJECT)
    return not _touched(case.box, truth)


def _touched(box: Box, truth: Sequence[Box]) -> bool:
    return bool((pairwise_iou(box_array([box]), box_array(truth)) >= NEAR_OBJECT).any())


def _overlaps(box: Box, others: Sequence[Box], least: float) -> bool:
    same = [other for other in others if other.label == box.label]
    return bool((pairwise_iou(box_array([box]), box_array(same)) >= least).any())


def _sure(boxes: Iterable[ScoredBox], least: float) -> Iterator[ScoredBox]:
    return (box for box in boxes if box.score >= least)


def _unscored(box: ScoredBox) -> Box:
    return Box.model_validate(box.model_dump(exclude={"score"}))


def _first(cases: list[tuple[float, HardCase]], policy: EvaluationPolicy) -> list[HardCase]:
    ordered = sorted(cases, key=lambda pair: (-pair[0], pair[1].sha256))
    return [case for _, case in ordered[: policy.max_new_hard_cases]]


def by_role(
    suite: Sequence[HardCase],
    images: Sequence[SnapshotImage],
    answers: Mapping[Role, Predictions],
    classes: Sequence[str],
    policy: EvaluationPolicy = POLICY,
) -> dict[Role, list[HardCase]]:
    """Return the suite of each role, which is stored with it if it is registered.

    Args:
        suite: The suite of the champion, which is part of every other.
        images: The test split.
        answers: Predictions by role.
        classes: Names of the classes that count.
        policy: Score of a sure box, and most new cases.
    """
    champion = answers.get("champion")
    return {
        role: grown(suite, won(images, answer, champion, classes, policy) if champion else ())
        for role, answer in answers.items()
    }
