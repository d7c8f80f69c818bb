"""Cron parser of Kubeflow's scheduler (robfig/cron v1): six fields, seconds first.

An expression fires at each instant whose clock time in the scheduler's zone matches: what a
clock skips in spring does not fire, what it shows twice in autumn fires twice. A day must
match both day fields if one of them begins with `*` or `?`, with a step or without; if
neither does, either will do.

Source: the documentation and the parser of github.com/robfig/cron 1.2.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from fractions import Fraction
from itertools import islice

from components.shared.contracts.errors import UserError

FIELDS = ("second", "minute", "hour", "day of month", "month", "day of week")
BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
NAMES = {
    "month": {name: number for number, name in enumerate(MONTHS, start=1)},
    "day of week": {name: number for number, name in enumerate(DAYS)},
}
WORDS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
UNITS = {"h": 3600, "m": 60, "s": 1}
MAX_DIGITS = 9  # of a number; no field and no interval needs more
YEARS = 5  # after which the scheduler stops looking
MAX_INTERVAL_S = YEARS * 366 * 24 * 3600
LEAP_DAY = datetime(2024, 2, 1, tzinfo=UTC)  # soon after this


class CronError(UserError):
    """The scheduler would refuse the expression, or read it otherwise than it was meant."""


@dataclass(frozen=True, slots=True)
class Every:
    """Schedule with a fixed interval from its creation."""

    delay: timedelta

    def after(self, instant: datetime) -> datetime:
        """Return the next time, given the last one or the creation of the schedule."""
        return instant.replace(microsecond=0) + self.delay


@dataclass(frozen=True, slots=True)
class Cron:
    """Schedule by the clock of a time zone.

    Attributes:
        fields: Values that match: seconds, minutes, hours, days, months, days of the week
            (Sunday is 0).
        any_day: Whether a day field begins with `*` or `?`.
        zone: Time zone of the scheduler.
    """

    fields: tuple[frozenset[int], ...]
    any_day: bool
    zone: tzinfo

    def after(self, instant: datetime) -> datetime | None:
        """Return the next time, or None if there is none within five years."""
        at = instant.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        last = at.astimezone(self.zone).year + YEARS
        while (clock := at.astimezone(self.zone)).year <= last:
            step = self._until_it_may_match(clock)
            if not step:
                return clock
            at += step
        return None

    def _until_it_may_match(self, clock: datetime) -> timedelta:
        seconds, minutes, hours, days, months, weekdays = self.fields
        day, weekday = clock.day in days, clock.isoweekday() % 7 in weekdays
        if clock.month not in months or not (day and weekday if self.any_day else day or weekday):
            midnight = datetime.combine(clock.date() + timedelta(days=1), time(), self.zone)
            return midnight.astimezone(UTC) - clock.astimezone(UTC)
        if clock.hour not in hours:
            return timedelta(seconds=3600 - 60 * clock.minute - clock.second)
        if clock.minute not in minutes:
            return timedelta(seconds=60 - clock.second)
        return timedelta(seconds=clock.second not in seconds)


def parse(expression: str, zone: tzinfo = UTC) -> Cron | Every:
    """Parse an expression.

    Args:
        expression: Six fields, a word such as `@daily`, or `@every 1h30m`.
        zone: Time zone of the scheduler.

    Raises:
        CronError: If the scheduler would refuse it, or read it otherwise than it was meant.

    >>> parse("@every 1h30m").delay
    datetime.timedelta(seconds=5400)
    >>> parse("0 2 * * 1")
    Traceback (most recent call last):
    pipelines.kubeflow.cron.CronError: ...
    """
    if expression.startswith("@every "):
        return Every(_duration(expression))
    words = WORDS.get(expression, expression).split()
    if expression.startswith("@") and expression not in WORDS:
        raise CronError(f"cron {expression!r} is no known word, expected {_listed(WORDS)}")
    if len(words) == len(FIELDS) - 1:
        raise CronError(
            f"cron {expression!r} has five fields, and the scheduler would take the first for "
            f"seconds; expected six, seconds first{_in_six(words)}"
        )
    if len(words) != len(FIELDS):
        raise CronError(
            f"cron {expression!r} has {len(words)} fields, expected six: {_listed(FIELDS)}"
        )
    fields = tuple(
        _field(f"cron {expression!r}: {name}", name, word, bounds)
        for name, word, bounds in zip(FIELDS, words, BOUNDS, strict=True)
    )
    any_day = any(part[0] in "*?" for word in (words[3], words[5]) for part in word.split(","))
    return Cron(fields, any_day, zone)


def next_times(expression: str, after: datetime, zone: tzinfo, count: int = 5) -> list[datetime]:
    """Return the next times of an expression.

    Args:
        expression: As `parse` reads it.
        after: An instant with a zone, whichever; `@every` counts from it.
        zone: Time zone of the scheduler.
        count: Maximum number of times to return.

    Raises:
        CronError: If the expression is refused, or never fires.
    """
    times = list(islice(_times(parse(expression, zone), after), count))
    if not times:
        raise CronError(f"cron {expression!r} never fires, expected a day that exists")
    return [at.astimezone(zone) for at in times]


def check(expression: str, zone: tzinfo) -> None:
    """Raise if the scheduler would refuse an expression, misread it, or never fire.

    Args:
        expression: Six fields, or a word such as `@daily`.
        zone: Time zone of the schedules.

    Raises:
        CronError: If it is so.
    """
    next_times(expression, LEAP_DAY, zone, 1)


def _in_six(words: list[str]) -> str:
    """Return the six-field form that five fields may have meant; empty if none would fire."""
    sunday = [*words[:-1], re.sub(r"\b7\b", "0", words[-1])]  # elsewhere it is 0 and 7
    for meant in (["0", *words], ["0", *sunday], [*words, "*"]):
        try:
            check(" ".join(meant), UTC)
        except CronError:
            continue
        return f": {' '.join(meant)!r}"
    return f" ({_listed(FIELDS)})"


def _times(schedule: Cron | Every, instant: datetime) -> Iterator[datetime]:
    at = schedule.after(instant)
    while at:
        yield at
        at = schedule.after(at)


def _field(where: str, name: str, word: str, bounds: tuple[int, int]) -> frozenset[int]:
    if "?" in word and not name.startswith("day"):
        raise CronError(f"{where} is {word!r}, expected `?` only in a day field: say `*`")
    if re.search(r"[LW#]", re.sub("[A-Za-z]{3}", "", word)):
        raise CronError(f"{where} is {word!r}, but the scheduler knows no L, W and #")
    return frozenset().union(*(_range(where, name, part, bounds) for part in word.split(",")))


def _range(where: str, name: str, part: str, bounds: tuple[int, int]) -> range:
    span, slash, step = part.partition("/")
    low, dash, high = span.partition("-")
    if low in ("*", "?") and not dash:
        first, last = bounds
    else:
        first = _number(where, name, low, bounds)
        last = _number(where, name, high, bounds) if dash else (bounds[1] if slash else first)
    if first > last:
        raise CronError(f"{where} is {part!r}, expected the range to begin before it ends")
    if not slash:
        return range(first, last + 1)
    if not _is_number(step) or int(step) == 0:
        raise CronError(f"{where} has the step {step!r}, expected a number above 0")
    if int(step) > bounds[1] - bounds[0]:
        raise CronError(f"{where} has the step {step}, which never fits into {bounds}")
    return range(first, last + 1, int(step))


def _number(where: str, name: str, word: str, bounds: tuple[int, int]) -> int:
    names = NAMES.get(name, {})
    number = names.get(word.lower(), int(word) if _is_number(word) else -1)
    if not bounds[0] <= number <= bounds[1]:
        named = f" or {_listed(names)}" if names else ""
        sunday = " (Sunday is 0)" if name == "day of week" else ""
        raise CronError(f"{where} is {word!r}, expected {bounds[0]} to {bounds[1]}{named}{sunday}")
    return number


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= MAX_DIGITS


def _duration(expression: str) -> timedelta:
    duration = expression.removeprefix("@every ")
    if not re.fullmatch(r"(\d{1,9}(\.\d{1,9})?[hms])+", duration, re.ASCII):
        raise CronError(
            f"cron {expression!r} is no interval, expected hours, minutes and seconds such as "
            "'@every 1h30m'; a day is 24h"
        )
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", duration)
    seconds = int(sum(Fraction(number) * UNITS[unit] for number, unit in parts))
    if not 1 <= seconds <= MAX_INTERVAL_S:
        raise CronError(
            f"cron {expression!r} is no interval, expected a second or more, and {YEARS} years "
            "or less"
        )
    return timedelta(seconds=seconds)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
