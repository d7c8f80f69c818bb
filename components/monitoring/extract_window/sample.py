"""Deterministic, evenly spaced sampling of a sequence, without a seed or a clock."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def evenly(items: Sequence[T], most: int) -> list[T]:
    """Return at most so many items, in order, as far apart as can be.

    Args:
        items: What to choose from.
        most: How many to keep; of fewer items all are kept.

    >>> evenly("abcdefg", 3)
    ['a', 'c', 'e']
    """
    count = min(most, len(items))
    return [items[place * len(items) // count] for place in range(count)]
