"""Which form a folder is in is found by looking; if it is in several, the one that says most."""

from collections.abc import Callable
from dataclasses import replace

from components.contracts.refusal import Refusal
from components.import_dataset.coco import read_coco
from components.import_dataset.folder import OTHER_IMAGES, Folder
from components.import_dataset.found import Found, Problem
from components.import_dataset.tabular import read_csv
from components.import_dataset.yolo import read_yolo

READERS: tuple[Callable[[Folder], Found | None], ...] = (read_csv, read_coco, read_yolo)


def find(folder: Folder) -> Found:
    """Read a folder in the form that says most: splits and groups first, then more images.

    Returns:
        What was found. Images that nobody labelled are among its problems.

    Raises:
        Refusal: If there are no annotations of any form, or none can be read.
    """
    found: list[Found] = []
    refusals: list[Refusal] = []
    for read in READERS:
        try:
            told = read(folder)
        except Refusal as refusal:
            refusals.append(refusal)
        else:
            found += [told] if told else []
    if not found:
        raise _nothing(folder, refusals)
    best = max(found, key=lambda told: told.richness)
    if not best.classes:
        raise Refusal(f"{best.form} in {folder.called} has no box, expected at least one")
    others = tuple(
        f"left aside, for it says less: {told.form}" for told in found if told is not best
    )
    return replace(
        best,
        problems=best.problems + _unlabelled(folder, best) + _unsupported(folder),
        notes=(*others, *map(str, refusals), *best.notes),
    )


def sentence(found: Found) -> str:
    """Say what was found, for the person who waits."""
    given = [
        name
        for name, there in (
            ("splits", any(image.split for image in found.images)),
            ("groups", any(image.group for image in found.images)),
        )
        if there
    ]
    told = f"{' and '.join(given)} given" if given else "no splits or groups given"
    return f"{found.form} with {len(found.images):,} images, {told}"


def _nothing(folder: Folder, refusals: list[Refusal]) -> Refusal:
    if refusals:
        return refusals[0]
    return Refusal(
        f"{folder.called} has {len(folder.images):,} images but no annotations, "
        "expected labels/*.txt (YOLO), a JSON file (COCO), or a CSV file "
        "with the columns image, xmin, ymin, xmax, ymax"
    )


def _unlabelled(folder: Folder, found: Found) -> tuple[Problem, ...]:
    known = {image.name for image in found.images}
    return tuple(
        Problem(name, "label_missing", "nobody said what is in it; an empty label says nothing is")
        for name in folder.images
        if name not in known
    )


def _unsupported(folder: Folder) -> tuple[Problem, ...]:
    return tuple(
        Problem(name, "unsupported_format", "expected JPEG, PNG, BMP or WebP")
        for name in folder.with_suffix(OTHER_IMAGES)
    )
