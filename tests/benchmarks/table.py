"""A benchmark is rows: what was measured, against what, and whether the ratio is what we want."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import thread_time


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured, in a few words.
        ours: Its figure, with its unit.
        against: What it is compared with and that one's figure; empty for a figure that is
            only stated.
        ratio: The one to the other, from the same run; None for a stated figure.
        goal: Such as `>= 1.13` or `<= 0.95`; empty if there is none.
        reached: Whether the goal is; None if there is none.
    """

    what: str
    ours: str
    against: str = ""
    ratio: float | None = None
    goal: str = ""
    reached: bool | None = None


def interleaved(
    *sides: Callable[[], object], rounds: int = 15, clock: Callable[[], float] = thread_time
) -> list[float]:
    """Return the median CPU seconds of this thread of each side, taken in turns.

    Cores are shared and wall time moves; the CPU time of one thread hardly does. Each side
    is run once before anything counts.

    Args:
        sides: What is compared.
        rounds: How often each is run.
        clock: `process_time` for what a library runs in one thread of its own.
    """
    for side in sides:
        side()
    seconds: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, taken in zip(sides, seconds, strict=True):
            start = clock()
            side()
            taken.append(clock() - start)
    return [median(taken) for taken in seconds]


def at_least(what: str, ours: str, against: str, ratio: float, goal: float) -> Row:
    """Return a row whose ratio should reach a goal."""
    return Row(what, ours, against, ratio, f">= {goal:g}", ratio >= goal)


def at_most(what: str, ours: str, against: str, ratio: float, goal: float) -> Row:
    """Return a row whose ratio should stay below a goal."""
    return Row(what, ours, against, ratio, f"<= {goal:g}", ratio <= goal)
