"""Deterministic, evenly spaced sampling of a sequence, without a seed or a clock."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def evenly(items: Sequence[T], most: int) -> list[T]:
    """Return at most `most` items, in order, evenly spaced.

    Args:
        items: The sequence to sample.
        most: Maximum number of items; of fewer items all are returned.

    >>> evenly("abcdefg", 3)
    ['a', 'c', 'e']
    """
    count = min(most, len(items))
    return [items[place * len(items) // count] for place in range(count)]
