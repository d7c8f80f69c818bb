"""Probe the stable server and the candidate with golden and recent images.

Records answers, failures and latencies of both, so that a rollout can also be judged without
traffic of clients.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from time import perf_counter

from components.promotion.deploy_model.compare import DetectionAgreement, compare
from components.promotion.deploy_model.pictures import GoldenImage, ProbeImages
from components.promotion.deploy_model.target import ServerUnreachableError, Target, Track
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import ApplicationError, JobError, OutageError
from components.shared.contracts.model import DetectAnswer
from components.shared.contracts.policy import GoldenPolicy, RolloutPolicy
from components.shared.inference.golden import differs

LIVE_PER_ROUND = 3  # live pictures that are sent in each round of probes


class GuardBreachError(JobError):
    """A candidate broke a rollback rule."""


@dataclass(slots=True)
class Prober:
    """Probes candidate and champion with images, and records answers and latencies.

    Attributes:
        target: Where both models are served.
        dataset: Name of the dataset.
        model: Digest of the candidate.
        pictures: The golden and live images to send.
        with_champion: Whether there is a champion to compare with.
        now: Returns a monotonic time, in seconds.
        policy: Gives the number of live pictures whose boxes are compared.
        tolerance: Tolerance of the answers to golden pictures.
        probes: Number of timed probes of the candidate, live and golden.
        failed: Number of these that it did not answer.
        stable_failed: Why the champion did not answer the last picture; None if it did.
    """

    target: Target
    dataset: str
    model: str
    pictures: ProbeImages
    with_champion: bool
    now: Callable[[], float] = perf_counter
    policy: RolloutPolicy = field(default_factory=RolloutPolicy)
    tolerance: GoldenPolicy = field(default_factory=GoldenPolicy)
    probes: int = 0
    failed: int = 0
    stable_failed: str | None = None
    _candidate_ms: list[float] = field(default_factory=list)
    _champion_ms: list[float] = field(default_factory=list)
    _candidate: dict[int, tuple[ScoredBox, ...]] = field(default_factory=dict)
    _champion: dict[int, tuple[ScoredBox, ...]] = field(default_factory=dict)

    def newest_ms(self, track: Track, answers: int) -> tuple[float, ...]:
        """Return the latencies of the newest probes of one track, in ms.

        Args:
            track: `stable` or `candidate`.
            answers: Maximum number of probes.
        """
        taken = self._candidate_ms if track == "candidate" else self._champion_ms
        return tuple(taken[-answers:])

    @property
    def compared(self) -> DetectionAgreement:
        """The newest answers of the candidate about live pictures, and the champion's."""
        both = [number for number in self._candidate if number in self._champion][
            -self.policy.max_compared_images :
        ]
        return compare((self._champion[number], self._candidate[number]) for number in both)

    @property
    def golden(self) -> tuple[int, int, float]:
        """The golden pictures as the package expects them: pictures, boxes, sum of scores."""
        boxes = [box for known in self.pictures.golden for box in known.boxes]
        return len(self.pictures.golden), len(boxes), sum(box.score for box in boxes)

    def clear_latencies(self) -> None:
        """Clear the latencies of both tracks, so that a new measurement begins."""
        self._candidate_ms.clear()
        self._champion_ms.clear()

    def probe_each_once(self) -> Iterator[None]:
        """Send every picture once; yield after each live one, so that the caller can check.

        Raises:
            GuardBreachError: If a golden picture is not answered as the package expects it.
            OutageError: If the target itself does not answer, or the candidate was evicted.
        """
        for known in self.pictures.golden:
            try:
                answer = self.target.detect(self.dataset, known.jpeg, "candidate")
            except ApplicationError as cause:
                self._raise_outage(cause)
                raise self.breach_unless_outage(f"no answer for {known.name}: {cause}") from cause
            if answer is None:
                raise self.breach_unless_outage(
                    f"no model answered {known.name}, expected {self.model[:12]}"
                )
            self._check(known, answer)
        for number in range(len(self.pictures.live)):
            self._compare(number)
            yield

    def probe_rounds(self) -> Iterator[list[Callable[[], None]]]:
        """Yield rounds of probes as functions: a golden picture, and the next few live ones."""
        numbers = cycle(range(len(self.pictures.live)))
        for known in cycle(self.pictures.golden):
            live = (partial(self._compare, number) for number in islice(numbers, LIVE_PER_ROUND))
            yield [partial(self._repeat_golden, known), *live]

    def breach_unless_outage(self, reason: str) -> GuardBreachError:
        """Return the breach of a candidate, if no outage explains its failure.

        Args:
            reason: The failure, in a sentence.

        Raises:
            OutageError: If the target does not answer, the candidate was evicted, or the champion
                does not answer either: then the failure is not the candidate's.
        """
        self.target.request_metrics(self.dataset, "stable")
        if disruption := self.target.disruption(self.dataset):
            raise OutageError(f"{disruption}: try again")
        if self.with_champion:
            self._detect_timed("stable", self.pictures.live[0])
        if self.stable_failed:
            raise OutageError(f"neither server answers: {self.stable_failed}; try again")
        return GuardBreachError(reason)

    def _repeat_golden(self, known: GoldenImage) -> None:
        """Send a golden picture again: a missing answer is counted, a wrong one is a breach."""
        answer = self._detect_timed("candidate", known.jpeg)
        if answer:
            self._check(known, answer)

    def _check(self, known: GoldenImage, answer: DetectAnswer) -> None:
        if answer.model != self.model:
            raise GuardBreachError(
                f"{answer.model[:12]} answered {known.name}, expected {self.model[:12]}"
            )
        difference = differs(
            known.boxes, answer.boxes, self.pictures.score_threshold, self.tolerance
        )
        if difference:
            raise GuardBreachError(f"{known.name} is answered differently: {difference}")

    def _compare(self, number: int) -> None:
        """Send a live picture to both tracks, in the same second."""
        jpeg = self.pictures.live[number]
        if self.with_champion:
            champion = self._detect_timed("stable", jpeg)
            if champion:
                self._champion[number] = champion.boxes
        candidate = self._detect_timed("candidate", jpeg)
        if candidate:
            self._candidate.pop(number, None)  # the newest answer stands last
            self._candidate[number] = candidate.boxes

    def _detect_timed(self, track: Track, jpeg: bytes) -> DetectAnswer | None:
        """Send a picture to one track, and record the latency; None if it failed."""
        began, why = self.now(), "nothing answers for the dataset"
        try:
            answer = self.target.detect(self.dataset, jpeg, track)
        except ApplicationError as cause:
            self._raise_outage(cause)
            answer, why = None, str(cause)
        if track == "candidate":
            self.probes += 1
            self.failed += answer is None
        else:
            self.stable_failed = None if answer else why
        if answer:
            taken = self._candidate_ms if track == "candidate" else self._champion_ms
            taken.append((self.now() - began) * 1000)
        return answer

    @staticmethod
    def _raise_outage(cause: ApplicationError) -> None:
        """Raise an outage again that is not the failure of the server itself."""
        if isinstance(cause, OutageError) and not isinstance(cause, ServerUnreachableError):
            raise cause
