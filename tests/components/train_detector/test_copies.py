"""What comes from afar is fetched once while there is room, and is what it was."""

import resource
from collections import Counter
from contextlib import contextmanager
from signal import SIG_IGN, SIGXFSZ, signal

from components.train_detector.copies import Copies

AFAR = {name: name.encode() * 1000 for name in "abc"}


def fetched(order, room_bytes):
    """Return how often each of three is fetched, 1000 bytes each."""
    fetches = Counter()

    def read(name):
        fetches[name] += 1
        return AFAR[name]

    copies = Copies(read, room_bytes)
    for name in order:
        assert copies.read(name) == AFAR[name]
    return fetches


def test_each_is_fetched_once():
    assert fetched("abcabccba", 3000) == {"a": 1, "b": 1, "c": 1}


def test_what_finds_no_room_is_fetched_each_time():
    assert fetched("abcabc", 2500) == {"a": 1, "b": 1, "c": 2}


@contextmanager
def files_no_larger_than(most_bytes):
    old, act = resource.getrlimit(resource.RLIMIT_FSIZE), signal(SIGXFSZ, SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
    signal(SIGXFSZ, act)


def test_a_full_disk_costs_time_and_nothing_else():
    with files_no_larger_than(1500):
        fetches = fetched("abcabc", 3000)

    assert fetches == {"a": 1, "b": 2, "c": 2}
