"""Assign groups of images to train, validation and test by names and counts, for ever.

The owner's choice holds: frames declared as validation or test stay there. Frames declared
as train stay there, unless the owner left a split empty: then whole groups of them fill it.
With too few groups for three splits, images are assigned one by one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.shared.contracts.events import SPLITS, Split
from components.shared.contracts.policy import SplitPolicy
from components.shared.contracts.record import digest_of

POLICY = SplitPolicy()
MAX_DRAWS = 32
RANKINGS = 3_000  # draws times units, so that many units do not take many draws


@dataclass(frozen=True, slots=True)
class Member:
    """The properties of an image that decide its split: digest, group and the owner's choice."""

    sha256: str
    group: str
    owner: Split | None = None


@dataclass(frozen=True, slots=True)
class _Unit:
    key: str
    images: int
    allowed: tuple[Split, ...]


def image_key(sha256: str) -> str:
    """Return the key of the assignment of a single image."""
    return f"image {sha256}"


def split_of(member: Member, assigned: Mapping[str, Split]) -> Split | None:
    """Return the split of an image, or None if it is not assigned yet.

    Args:
        member: The image.
        assigned: Assigned splits by group or image.
    """
    if member.owner in ("validation", "test"):
        return member.owner
    return assigned.get(image_key(member.sha256)) or assigned.get(member.group)


def assign(
    dataset: str,
    members: Sequence[Member],
    assigned: Mapping[str, Split],
    *,
    grow_test: bool,
    policy: SplitPolicy = POLICY,
) -> dict[str, Split]:
    """Assign the images without a split; the order of the images does not matter.

    The first time, the images become train, validation and test by the shares of the policy.
    Later the test set is frozen: new groups are train or validation.

    Args:
        dataset: Its name, so that two datasets with like groups differ.
        members: All images of the dataset.
        assigned: What was assigned before, by group or `image_key`; it never moves.
        grow_test: Whether new groups may enter a test set that there is.
        policy: Gives the shares of the splits.

    Returns:
        The new assignments alone, by group or `image_key`.
    """
    here = Counter(split for member in members if (split := split_of(member, assigned)))
    waiting = [member for member in members if split_of(member, assigned) is None]
    frozen = bool(assigned) and here["test"] > 0 and not grow_test
    free: tuple[Split, ...] = ("train", "validation") if frozen else SPLITS
    missing = tuple(split for split in SPLITS[1:] if not here[split])

    def divide(key: Callable[[Member], str]) -> dict[str, Split]:
        units = _units(members, waiting, key, free, missing)
        return _fairest(dataset, units, here, policy.shares)

    by_group = divide(lambda member: member.group)
    if assigned or {*by_group.values(), *here} == set(SPLITS):
        return by_group
    return divide(lambda member: image_key(member.sha256))


def shared_groups(members: Iterable[Member], assigned: Mapping[str, Split]) -> dict[str, str]:
    """Return the groups in several splits, with the reason: owner or too_few_groups.

    Args:
        members: All images.
        assigned: Assigned splits by group or image.
    """
    sides: dict[str, set[Split | None]] = {}
    alone: set[str] = set()
    for member in members:
        sides.setdefault(member.group, set()).add(split_of(member, assigned))
        if image_key(member.sha256) in assigned:
            alone.add(member.group)
    return {
        group: "too_few_groups" if group in alone else "owner"
        for group, splits in sorted(sides.items())
        if len(splits) > 1
    }


def _units(
    members: Iterable[Member],
    waiting: Iterable[Member],
    key: Callable[[Member], str],
    free: tuple[Split, ...],
    missing: tuple[Split, ...],
) -> list[_Unit]:
    owners: dict[str, set[Split]] = {}
    for member in members:
        named = owners.setdefault(key(member), set())
        if member.owner:
            named.add(member.owner)
    sizes = Counter(key(member) for member in waiting)
    return [
        _Unit(name, size, _allowed(owners[name], free, missing)) for name, size in sizes.items()
    ]


def _allowed(
    owner: set[Split], free: tuple[Split, ...], missing: tuple[Split, ...]
) -> tuple[Split, ...]:
    if not owner:
        return free
    if owner == {"train"}:
        return ("train", *missing)
    return (min(owner, key=SPLITS.index),)


def _fairest(
    dataset: str, units: list[_Unit], here: Counter[Split], shares: Mapping[Split, float]
) -> dict[str, Split]:
    """Deal the units out in several orders that follow from names, and keep the fairest."""
    draws = max(1, min(MAX_DRAWS, RANKINGS // max(1, len(units))))
    deals = []
    for draw in range(draws):
        ranked = sorted(units, key=lambda unit: digest_of([dataset, draw, unit.key]))
        counts, dealt = here.copy(), {}
        for unit in ranked:
            # The split that is emptiest for its share, so that none stays empty.
            side = min(unit.allowed, key=lambda split: counts[split] / shares[split])
            counts[side] += unit.images
            dealt[unit.key] = side
        total = max(1, counts.total())
        unfair = sum(abs(counts[split] / total - share) for split, share in shares.items())
        deals.append((unfair, draw, dealt))
    return min(deals, key=lambda deal: deal[:2])[2]
