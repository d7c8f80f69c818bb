"""`python -m tests.proofs.gate`: equal models meet a thousand times, better ones many times.

Every comparison has its own scenes, candidates and champion. Prints how often luck promoted one
of two equal candidates, and how often one that is truly better by so much was promoted; ends
with 1 if luck does so as often as the policy's alpha, or more.
"""

import argparse
import sys
from collections import Counter
from multiprocessing import get_context
from multiprocessing.pool import Pool

import numpy as np

from components.promotion.evaluate_detector.coco import CocoTruth
from components.promotion.evaluate_detector.paired_bootstrap import PairedBootstrap
from components.promotion.judge_model.judge import judge
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import ModelReport, Report, Role
from tests.support.simulated_detections import EQUAL, Skill, answers, scenes

POLICY = PromotionPolicy()
DIGESTS = {"fine_tuned": "a" * 64, "from_scratch": "b" * 64, "champion": "c" * 64}
LARGER = {  # the gain that each makes is printed
    "a little": Skill(recall=0.80),
    "more": Skill(recall=0.85),
    "much": Skill(recall=0.85, shake=0.065),
}


def compared(job: tuple[int, int, Skill, Skill]) -> tuple[str, float]:
    """Return who wins on scenes of this seed, and the from_scratch's measured gain."""
    seed, images, fine_tuned, from_scratch = job
    random = np.random.default_rng(seed)
    frozen = scenes(random, images, cameras=4)
    truth = CocoTruth(frozen, ("car",))
    skills = {"fine_tuned": fine_tuned, "from_scratch": from_scratch, "champion": EQUAL}
    measured = {
        role: truth.measure(answers(random, frozen, skill)) for role, skill in skills.items()
    }
    bootstrap = PairedBootstrap(truth, POLICY, 2)
    models = tuple(
        ModelReport(
            role=role, model=DIGESTS[role], coco=each.coco, slices=each.slices,
            latency_ms_p50=9, latency_ms_p95=10, size_bytes=1_000_000,
        )
        for role, each in measured.items()
    )  # fmt: skip
    candidates: tuple[Role, ...] = ("fine_tuned", "from_scratch")
    met = tuple(
        bootstrap.compare(role, measured[role], measured["champion"]) for role in candidates
    )
    boxes = sum(len(image.boxes) for image in frozen)
    report = Report(
        dataset="toys", snapshot="0" * 64, split="test", images=images, boxes=boxes,
        models=models, absent={}, slice_boxes=truth.slice_boxes(), duels=met,
    )  # fmt: skip
    return judge(report, POLICY).winner, met[1].map.gain


def main() -> int:
    """Run all comparisons, two at a time."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--comparisons", type=int, default=1000)
    parser.add_argument("--images", type=int, nargs="+", default=[60])
    options = parser.parse_args()
    with get_context("spawn").Pool(2) as pool:
        lucky = [_luck(pool, images, options.comparisons) for images in options.images]
        for images in options.images:
            _power(pool, images)
    return int(max(lucky) >= POLICY.alpha)


def _luck(pool: Pool, images: int, comparisons: int) -> float:
    jobs = [(seed, images, EQUAL, EQUAL) for seed in range(comparisons)]
    winners = Counter(winner for winner, _ in pool.imap_unordered(compared, jobs, 20))
    share = 1 - winners["none"] / len(jobs)
    asked = f"asked: below {POLICY.alpha:.0%}"
    print(
        f"{images} images, equal models: luck promotes {share:.1%} of {len(jobs):,}, {asked}",
        flush=True,
    )
    return share


def _power(pool: Pool, images: int) -> None:
    for name, skill in LARGER.items():
        jobs = [(10**6 + seed, images, EQUAL, skill) for seed in range(100)]
        done = list(pool.imap_unordered(compared, jobs, 10))
        won = sum(winner == "from_scratch" for winner, _ in done)
        gain = np.mean([gain for _, gain in done])
        print(
            f"{images} images, better by {name}, {gain:+.3f} mAP50-95: promoted {won} of 100",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
