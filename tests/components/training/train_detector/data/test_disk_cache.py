"""What is costly is made once while there is room, and is what it was."""

import resource
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from signal import SIG_IGN, SIGXFSZ, signal

from components.training.train_detector.data.disk_cache import AS_IT_IS, DiskCache, Packing

MADE = {name: name.encode() * 1000 for name in "abc"}


def made(folder, order, room_bytes):
    """Return how often each of three is made, 1000 bytes each."""
    makings = Counter()
    cache = DiskCache(folder, room_bytes)

    def make(name):
        makings[name] += 1
        return MADE[name]

    for name in order:
        assert cache.get_or_make(name, partial(make, name), AS_IT_IS) == MADE[name]
    return makings


def test_each_is_made_once(tmp_path):
    assert made(tmp_path, "abcabccba", 3000) == {"a": 1, "b": 1, "c": 1}


def test_what_finds_no_room_is_made_each_time(tmp_path):
    assert made(tmp_path, "abcabc", 2500) == {"a": 1, "b": 1, "c": 2}


def test_a_quarter_of_what_others_leave_is_the_most_that_it_takes(tmp_path, monkeypatch):
    left = iter([8000, 7000, 5000])  # the last time, somebody else has taken some
    disk = namedtuple("Disk", "f_bavail f_frsize")
    monkeypatch.setattr("os.fstatvfs", lambda _: disk(next(left), 1))

    assert made(tmp_path, "abcabc", 3000) == {"a": 1, "b": 1, "c": 2}


def test_whoever_asks_learns_that_it_is_full(tmp_path):
    cache = DiskCache(tmp_path, 1000)
    cache.get_or_make("a", lambda: MADE["a"], AS_IT_IS)
    before = cache.full
    cache.get_or_make("b", lambda: MADE["b"], AS_IT_IS)

    assert (before, cache.full, "a" in cache, "b" in cache) == (False, True, True, False)


def test_what_is_kept_comes_back_as_it_was_made_and_nothing_is_packed_when_it_is_full(tmp_path):
    packed = []

    def pack(number):
        packed.append(number)
        return number.to_bytes(1000)

    cache, packing = DiskCache(tmp_path, 2000), Packing(pack, int.from_bytes)
    for _ in range(3):
        assert [cache.get_or_make(str(n), lambda n=n: n, packing) for n in range(4)] == [0, 1, 2, 3]

    assert packed == [0, 1, 2]  # the third found no room


def test_no_file_is_seen(tmp_path):
    cache = DiskCache(tmp_path)
    cache.get_or_make("a", lambda: MADE["a"], AS_IT_IS)

    assert list(tmp_path.iterdir()) == []


def test_threads_never_see_bytes_of_each_other(tmp_path):
    cache = DiskCache(tmp_path)
    names = [str(number) for number in range(200)] * 3

    def asked(name):
        return cache.get_or_make(name, lambda: name.encode() * 50_000, AS_IT_IS)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(asked, names)) == [name.encode() * 50_000 for name in names]


@contextmanager
def files_no_larger_than(most_bytes):
    old, act = resource.getrlimit(resource.RLIMIT_FSIZE), signal(SIGXFSZ, SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
    signal(SIGXFSZ, act)


def test_a_full_disk_costs_time_and_nothing_else(tmp_path):
    with files_no_larger_than(1500):
        makings = made(tmp_path, "abcabc", 3000)

    assert makings == {"a": 1, "b": 2, "c": 2}
