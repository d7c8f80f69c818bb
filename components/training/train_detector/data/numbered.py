"""What can be asked for by number, whether it is held, kept or made when it is asked for."""

from typing import Protocol, TypeVar

Thing = TypeVar("Thing", covariant=True)


class Numbered(Protocol[Thing]):
    """Things by number, from 0; a list is one."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, index: int, /) -> Thing:
        """Return one of them."""
