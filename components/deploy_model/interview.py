"""The deployer asks both sides itself, so that a night without traffic tells something too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from time import perf_counter

from components.contracts.annotation import ScoredBox
from components.contracts.model import DetectAnswer
from components.contracts.refusal import Refusal
from components.deploy_model.compare import Comparison, compare
from components.deploy_model.pictures import Known, Pictures
from components.deploy_model.target import Side, Target
from components.inference.golden import differs

RECENT = 20  # answers of the candidate whose latency counts
A_LOOK = 3  # live pictures that the candidate is asked about at each look
NEWEST = 8  # live pictures whose boxes are compared: who begins to err is soon seen


class Breach(Refusal):
    """A candidate did what sends it back."""


@dataclass(slots=True)
class Interview:
    """What one candidate and the champion beside it answered to us.

    Attributes:
        target: Where both are.
        dataset: Who is asked.
        model: The candidate's digest.
        pictures: What is asked about.
        beside: Whether there is a champion to compare with.
        now: Counts the seconds.
        asked: Live and golden pictures that the candidate was asked about with its time.
        failed: Of these, those that it did not answer.
    """

    target: Target
    dataset: str
    model: str
    pictures: Pictures
    beside: bool
    now: Callable[[], float] = perf_counter
    asked: int = 0
    failed: int = 0
    _candidate_ms: list[float] = field(default_factory=list)
    _champion_ms: list[float] = field(default_factory=list)
    _candidate: dict[int, tuple[ScoredBox, ...]] = field(default_factory=dict)
    _champion: dict[int, tuple[ScoredBox, ...]] = field(default_factory=dict)

    @property
    def latencies_ms(self) -> tuple[float, ...]:
        """How long the candidate's newest answers took us."""
        return tuple(self._candidate_ms[-RECENT:])

    @property
    def champion_ms(self) -> tuple[float, ...]:
        """How long the champion's answers about the same pictures took us."""
        return tuple(self._champion_ms)

    @property
    def compared(self) -> Comparison:
        """The newest answers of the candidate about live pictures, and the champion's."""
        both = [number for number in self._candidate if number in self._champion][-NEWEST:]
        return compare((self._champion[number], self._candidate[number]) for number in both)

    @property
    def golden(self) -> tuple[int, int, float]:
        """The golden pictures as the package expects them: pictures, boxes, sum of scores."""
        boxes = [box for known in self.pictures.golden for box in known.boxes]
        return len(self.pictures.golden), len(boxes), sum(box.score for box in boxes)

    def first(self) -> Iterator[None]:
        """Ask about every picture once; what is yielded is the time to look.

        Raises:
            Breach: If a golden picture is not answered as the package expects it.
            Refusal: If the place itself does not answer.
        """
        for known in self.pictures.golden:
            try:
                answer = self.target.ask(self.dataset, known.jpeg, "candidate")
            except Refusal as cause:
                raise self.blamed(f"it does not answer {known.name}: {cause}") from cause
            self._check(known, answer)
        for number in range(len(self.pictures.live)):
            self._compare(number)
            yield

    def turns(self) -> Iterator[list[Callable[[], None]]]:
        """Yield for each look what to ask: a golden picture, and the next few live ones."""
        numbers = cycle(range(len(self.pictures.live)))
        for known in cycle(self.pictures.golden):
            live = (partial(self._compare, number) for number in islice(numbers, A_LOOK))
            yield [partial(self._again, known), *live]

    def blamed(self, reason: str) -> Breach:
        """Return what convicts the candidate, if the place where it is still answers.

        Args:
            reason: What it did, in a sentence.

        Raises:
            Refusal: If the place does not answer: then the candidate is not to blame.
        """
        self.target.tally(self.dataset, "stable")
        return Breach(reason)

    def _again(self, known: Known) -> None:
        """Ask about a golden picture once more: no answer is counted, a wrong one is a breach."""
        answer = self._timed("candidate", known.jpeg)
        if answer:
            self._check(known, answer)

    def _check(self, known: Known, answer: DetectAnswer | None) -> None:
        if answer is None or answer.model != self.model:
            who = answer.model[:12] if answer else "nothing"
            raise Breach(f"{who} answered {known.name}, expected {self.model[:12]}")
        difference = differs(known.boxes, answer.boxes, self.pictures.score_threshold)
        if difference:
            raise Breach(f"{known.name} is answered otherwise: {difference}")

    def _compare(self, number: int) -> None:
        """Ask both about a live picture, the champion only once."""
        jpeg = self.pictures.live[number]
        if self.beside and number not in self._champion:
            champion = self._timed("stable", jpeg)
            if champion:
                self._champion[number] = champion.boxes
        candidate = self._timed("candidate", jpeg)
        if candidate:
            self._candidate.pop(number, None)  # the newest answer stands last
            self._candidate[number] = candidate.boxes

    def _timed(self, side: Side, jpeg: bytes) -> DetectAnswer | None:
        """Ask one side, and note how long it took; None if it failed."""
        began = self.now()
        try:
            answer = self.target.ask(self.dataset, jpeg, side)
        except Refusal:
            answer = None
        if side == "candidate":
            self.asked += 1
            self.failed += answer is None
        if answer:
            taken = self._candidate_ms if side == "candidate" else self._champion_ms
            taken.append((self.now() - began) * 1000)
        return answer
