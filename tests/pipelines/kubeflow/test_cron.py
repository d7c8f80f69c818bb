"""Times told by hand from the documented rules of robfig/cron v1, and checked against croniter."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kubeflow.cron import CronError, next_times, parse

# What fires when: an expression, after when, and the next times (UTC).
FIXTURES = [
    # seconds come first
    ("30 * * * * *", "2026-03-04 10:00:30", ["2026-03-04 10:01:30", "2026-03-04 10:02:30"]),
    ("0 0 2 * * 1", "2026-03-04 10:00:00", ["2026-03-09 02:00:00", "2026-03-16 02:00:00"]),
    ("0 5 * * * *", "2026-03-04 23:59:59", ["2026-03-05 00:05:00", "2026-03-05 01:05:00"]),
    # the very second does not count again
    ("0 0 2 * * *", "2026-03-04 02:00:00", ["2026-03-05 02:00:00"]),
    ("0 0 2 * * *", "2026-03-04 01:59:59", ["2026-03-04 02:00:00"]),
    # steps: from the first value, from a number to the end, in a range; they begin anew each time
    ("0 */15 * * * *", "2026-03-04 23:46:00", ["2026-03-05 00:00:00", "2026-03-05 00:15:00"]),
    ("0 5/20 * * * *", "2026-03-04 10:45:00", ["2026-03-04 11:05:00", "2026-03-04 11:25:00"]),
    ("0 20-35/15 * * * *", "2026-03-04 10:35:00", ["2026-03-04 11:20:00", "2026-03-04 11:35:00"]),
    ("0 0 0 */10 * *", "2026-01-30 00:00:00", ["2026-01-31 00:00:00", "2026-02-01 00:00:00"]),
    # lists, ranges and names, in any case
    ("0 0 9-11 * * *", "2026-03-04 11:00:00", ["2026-03-05 09:00:00", "2026-03-05 10:00:00"]),
    (
        "0 0 0 ? * mon,Wed,FRI",
        "2026-03-04 00:00:00",
        ["2026-03-06 00:00:00", "2026-03-09 00:00:00"],
    ),
    ("0 0 0 1 Jan-MAR ?", "2026-02-01 00:00:00", ["2026-03-01 00:00:00", "2027-01-01 00:00:00"]),
    ("0 0 0 ? * SUN", "2026-03-04 00:00:00", ["2026-03-08 00:00:00"]),
    ("0 0 0 * * 0", "2026-03-04 00:00:00", ["2026-03-08 00:00:00"]),
    # both day fields given: either will do
    ("0 0 0 1,15 * Sun", "2026-03-02 00:00:00", ["2026-03-08 00:00:00", "2026-03-15 00:00:00"]),
    ("0 0 0 13 * 5", "2026-03-01 00:00:00", ["2026-03-06 00:00:00", "2026-03-13 00:00:00"]),
    # one of them with a star: both must match, also when the star has a step
    ("0 0 0 * * Mon", "2026-03-04 00:00:00", ["2026-03-09 00:00:00"]),
    ("0 0 0 */5 Apr,Aug,Oct Mon", "2026-03-04 00:00:00", ["2026-04-06 00:00:00"]),
    ("0 0 0 ?/2 * 0", "2026-03-01 00:00:00", ["2026-03-15 00:00:00", "2026-03-29 00:00:00"]),
    # month ends and leap days
    ("0 0 0 31 * ?", "2026-01-31 00:00:00", ["2026-03-31 00:00:00", "2026-05-31 00:00:00"]),
    ("0 0 0 29 2 ?", "2026-01-01 00:00:00", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
    ("59 59 23 31 12 *", "2026-12-31 23:59:58", ["2026-12-31 23:59:59", "2027-12-31 23:59:59"]),
    # words
    ("@yearly", "2026-03-04 10:00:00", ["2027-01-01 00:00:00"]),
    ("@annually", "2026-03-04 10:00:00", ["2027-01-01 00:00:00"]),
    ("@monthly", "2026-03-04 10:00:00", ["2026-04-01 00:00:00"]),
    ("@weekly", "2026-03-04 10:00:00", ["2026-03-08 00:00:00"]),
    ("@daily", "2026-03-04 10:00:00", ["2026-03-05 00:00:00"]),
    ("@midnight", "2026-03-04 10:00:00", ["2026-03-05 00:00:00"]),
    ("@hourly", "2026-03-04 10:00:00", ["2026-03-04 11:00:00"]),
    # intervals count from the last time
    ("@every 1h30m", "2026-03-04 23:00:05", ["2026-03-05 00:30:05", "2026-03-05 02:00:05"]),
    ("@every 1.5h", "2026-03-04 23:00:05", ["2026-03-05 00:30:05"]),
    ("@every 90s", "2026-03-04 23:59:00", ["2026-03-05 00:00:30"]),
]

NEW_YORK, ZURICH = "America/New_York", "Europe/Zurich"
# In spring a clock time may not exist, in autumn it comes twice: an expression, after when, and
# the next times, with offsets.
CHANGES = [
    (NEW_YORK, "0 30 2 * * *", "2026-03-07T12:00-05:00", ["2026-03-09T02:30-04:00"]),
    (NEW_YORK, "0 30 2 8 Mar ?", "2026-01-01T00:00-05:00", ["2027-03-08T02:30-05:00"]),
    (NEW_YORK, "0 0 3 * * *", "2026-03-07T12:00-05:00", ["2026-03-08T03:00-04:00"]),
    (NEW_YORK, "0 30 1 * * *", "2026-10-31T12:00-04:00",
     ["2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00", "2026-11-02T01:30-05:00"]),
    (NEW_YORK, "0 30 2 1 Nov ?", "2026-11-01T00:00-04:00", ["2026-11-01T02:30-05:00"]),
    (ZURICH, "0 0 * * * *", "2026-03-29T00:30+01:00",
     ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"]),
    (ZURICH, "0 0 2 * * Mon", "2026-03-22T12:00+01:00",
     ["2026-03-23T02:00+01:00", "2026-03-30T02:00+02:00"]),
    (ZURICH, "@every 12h", "2026-03-29T00:00+01:00", ["2026-03-29T13:00+02:00"]),
    ("Australia/Lord_Howe", "0 45 1 * * *", "2026-04-04T12:00+11:00",
     ["2026-04-05T01:45+11:00", "2026-04-05T01:45+10:30"]),
]  # fmt: skip

REFUSED = [
    ("0 2 * * 1", "five fields.*'0 0 2 \\* \\* 1'"),
    ("0 0 2 * *", "five fields"),
    ("10 10 * * *", "'0 10 10 \\* \\* \\*'$"),
    ("0 0 0 * *", "'0 0 0 \\* \\* \\*'$"),
    ("0 2 * * 7", "'0 0 2 \\* \\* 0'$"),
    ("a b c d e", "expected six, seconds first .second, minute, hour"),
    ("0 0 2 * * 7777777777777777", "Sunday is 0"),
    ("0 0 " + "9" * 5000 + " * * *", "expected 0 to 23"),
    ("@every 1d", "a day is 24h"),
    ("@every " + "9" * 5000 + "h", "is no interval"),
    ("@every 999999h", "5 years or less"),
    ("TZ=UTC 0 0 2 * * *", "7 fields, expected six"),
    ("*/90 * * * * *", "the step 90, which never fits"),
    ("0 0 2 * * 1 2026", "7 fields, expected six"),
    ("", "0 fields, expected six"),
    ("0 0 2 * * 7", "day of week is '7', expected 0 to 6.*Sunday is 0"),
    ("0 0 2 0 * *", "day of month is '0', expected 1 to 31"),
    ("60 0 2 * * *", "second is '60', expected 0 to 59"),
    ("0 0 24 * * *", "hour is '24', expected 0 to 23"),
    ("0 0 2 * 13 *", "month is '13', expected 1 to 12 or jan"),
    ("0 0 2 L * ?", "knows no L, W and #"),
    ("0 0 2 15W * ?", "knows no L, W and #"),
    ("0 0 2 ? * 2#1", "knows no L, W and #"),
    ("0 0 2 ? * Fri-Mon", "'Fri-Mon', expected the range to begin before it ends"),
    ("0 0 5-2 * * *", "expected the range to begin before it ends"),
    ("0 */0 * * * *", "the step '0', expected a number above 0"),
    ("0 */x * * * *", "the step 'x', expected a number above 0"),
    ("0 */90 * * * *", "the step 90, which never fits"),
    ("0 0 ? * * *", "only in a day field"),
    ("0 0 2 1,,2 * *", "day of month is '', expected 1 to 31"),
    ("0 0 -2 * * *", "hour is '', expected 0 to 23"),
    ("0 0 2 * Janu *", "month is 'Janu'"),
    ("0 0 0 30 2 *", "never fires"),
    ("0 0 0 31 4,6,9,11 ?", "never fires"),
    ("0 \u0663 * * * *", "minute is '\u0663', expected 0 to 59"),
    ("0 */\u0663 * * * *", "the step '\u0663', expected a number above 0"),
    ("@every \u0663h", "is no interval"),
    ("@fortnightly", "is no known word"),
    ("@every day", "is no interval"),
    ("@every 0s", "expected a second or more"),
    ("@every -1h", "is no interval"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "after", "times"), FIXTURES)
def test_an_expression_fires_when_the_rules_say(expression, after, times):
    instant = datetime.fromisoformat(after).replace(tzinfo=UTC)

    told = next_times(expression, instant, UTC, len(times))

    assert [f"{at:%Y-%m-%d %H:%M:%S}" for at in told] == times


@pytest.mark.parametrize(("zone", "expression", "after", "times"), CHANGES)
def test_a_clock_that_changes_skips_and_repeats(zone, expression, after, times):
    told = next_times(expression, datetime.fromisoformat(after), ZoneInfo(zone), len(times))

    assert [at.isoformat(timespec="minutes") for at in told] == times


@pytest.mark.parametrize(("expression", "why"), REFUSED)
def test_what_the_scheduler_would_refuse_or_misread_is_refused(expression, why):
    with pytest.raises(CronError, match=why):
        next_times(expression, datetime(2026, 1, 1, tzinfo=UTC), UTC)


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.sampled_from(["*", "?", "0", "7", "24", "29", "*/2", "Mon", "x"]),
                min_size=5, max_size=5))  # fmt: skip
def test_what_is_proposed_for_five_fields_is_not_refused_itself(fields):
    with pytest.raises(CronError) as refused:
        parse(" ".join(fields))

    for proposal in re.findall(r": '([^']+)'$", str(refused.value)):
        assert next_times(proposal, datetime(2026, 1, 1, tzinfo=UTC), UTC)


def field(low, high):
    number = st.integers(low, high)
    ends = st.sets(number, min_size=2, max_size=2)  # croniter takes 2-2 for the whole range
    span = ends.map(lambda two: f"{min(two)}-{max(two)}")
    step = st.integers(1, high - low).map(lambda by: f"*/{by}")
    listed = st.lists(number, min_size=1, max_size=3).map(lambda some: ",".join(map(str, some)))
    return st.one_of(st.just("*"), span, step, listed)


@settings(max_examples=60, derandomize=True)
@given(
    st.tuples(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12)),
    st.integers(0, 10**8),
)
def test_where_both_agree_on_the_rules_so_do_the_times(fields, seconds):
    """They do while the day of the week is left open."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    expression = " ".join([*fields, "*"])
    other = croniter(expression, start, second_at_beginning=True)

    assert next_times(expression, start, UTC) == [other.get_next(datetime) for _ in range(5)]


def test_an_instant_between_two_seconds_is_taken_for_the_earlier():
    assert parse("@every 1m").after(datetime(2026, 1, 1, 0, 0, 0, 900_000, tzinfo=UTC)) == datetime(
        2026, 1, 1, 0, 1, tzinfo=UTC
    )
