"""What was decided, submitted and recorded about windows and runs stands once."""

from tests.support.registered_models import at_once

WINDOW = "d" * 64


def test_the_first_decision_about_a_window_stands(registry):
    first = registry.decide(WINDOW, "car-parks", 40, True, "night fell", {"distance": 0.6})
    second = registry.decide(WINDOW, "car-parks", 90, False, "nothing", {})

    assert second == first
    assert first.retrain
    assert registry.last_watermark("car-parks") == 40


def test_before_the_first_decision_the_watermark_is_zero(registry):
    assert registry.last_watermark("car-parks") == 0


def test_decisions_are_counted_by_dataset(registry):
    registry.decide(WINDOW, "car-parks", 40, True, "night fell", {})
    registry.decide(WINDOW, "car-parks", 40, True, "night fell", {})
    registry.decide("e" * 64, "highway", 9, False, "nothing", {})

    assert registry.count_decisions("car-parks") == 1
    assert registry.count_decisions("trams") == 0


def test_a_training_is_submitted_once_for_each_window(registry):
    registry.decide(WINDOW, "car-parks", 40, True, "night fell", {})

    assert registry.submit(WINDOW, "car-parks", "make run")
    assert not registry.submit(WINDOW, "car-parks", "make run")


def test_what_was_submitted_for_a_window_can_be_looked_up(registry):
    registry.decide(WINDOW, "car-parks", 40, True, "night fell", {})
    before = registry.submitted(WINDOW)
    registry.submit(WINDOW, "car-parks", "make run")

    assert (before, registry.submitted(WINDOW)) == (None, "make run")


def test_of_many_who_submit_at_once_one_is_the_first(registry, database):
    registry.decide(WINDOW, "car-parks", 40, True, "night fell", {})

    results = at_once(
        database, *[lambda registry: registry.submit(WINDOW, "car-parks", "make run")] * 4
    )

    assert sorted(results) == [False, False, False, True]


def test_a_retried_run_ended_as_it_did_the_last_time(registry, connection):
    registry.record_outcome("run-1", "train", "FAILED", "no disk")
    registry.record_outcome("run-1", "train", "SUCCEEDED", "")

    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT run_id, state FROM registry.outcomes")
        assert cursor.fetchall() == [("run-1", "SUCCEEDED")]
