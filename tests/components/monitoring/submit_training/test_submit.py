import threading

import pytest

from components.monitoring.submit_training.submit import submit
from components.shared.contracts.snapshot import WindowInfo
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry

WINDOW = WindowInfo(dataset="yard", model="a" * 64, since=0, until=9, frames=9, id="d" * 64)
BY_HAND = "python -m pipelines run train --dataset yard"


class Killed(BaseException):
    """The process ends here."""


class Host:
    """A Kubeflow host that knows its runs."""

    def __init__(self):
        self.runs = []

    def start(self, dataset, window):
        if (dataset, window) not in self.runs:
            self.runs.append((dataset, window))
        return f"run of {dataset}"


@pytest.fixture
def ask(database):
    """Submit with a connection of its own, as each process would."""
    connection = connect(database)
    Registry(connection).decide(WINDOW.id, "yard", 9, True, "night fell", {})
    connection.close()

    def call(start=None, **wanted):
        connection = connect(database)
        try:
            return submit(connection, "yard", WINDOW, start, **wanted)
        finally:
            connection.close()

    return call


def test_without_a_host_a_person_is_told_what_to_start(ask, capsys):
    assert ask() == BY_HAND
    assert capsys.readouterr().out == (
        f"» training of yard for window dddddddddddd: start it with {BY_HAND}\n"
    )


def test_a_second_time_it_is_said_that_it_was_the_first(ask, capsys):
    ask()
    capsys.readouterr()

    assert ask() == BY_HAND
    assert capsys.readouterr().out.startswith("» already submitted for window dddddddddddd")


def test_a_host_is_asked_once(ask):
    host = Host()

    assert ask(host.start) == ask(host.start) == "run of yard"
    assert host.runs == [("yard", WINDOW.id)]


def test_what_was_submitted_by_hand_is_not_submitted_to_a_host_later(ask):
    host = Host()
    ask()
    ask(host.start)

    assert host.runs == []


def test_killed_after_the_run_was_started_there_is_still_one_run_and_one_row(ask):
    host = Host()

    def start_and_die(dataset, window):
        host.start(dataset, window)
        raise Killed

    with pytest.raises(Killed):
        ask(start_and_die)

    assert ask(host.start) == "run of yard"
    assert len(host.runs) == 1


def test_of_many_at_once_one_starts_it(ask):
    calls = []
    threads = [
        threading.Thread(target=ask, args=(lambda _, window: calls.append(window) or "run",))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert calls == [WINDOW.id]


def test_if_no_training_is_wanted_nothing_happens(ask):
    host = Host()

    assert ask(host.start, wanted=False) == ""
    assert host.runs == []
