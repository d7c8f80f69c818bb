"""Detect the annotation format of a folder by reading it with every reader.

The format with the most information wins: splits and groups first, then the number of images.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from components.data.import_dataset.coco import is_coco, read_coco
from components.data.import_dataset.cvat import read_cvat
from components.data.import_dataset.documents import Documents, read_documents
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import FoundImage, ParsedDataset, Problem, without_repeats
from components.data.import_dataset.kitti import read_kitti
from components.data.import_dataset.label_studio import is_label_studio, read_label_studio
from components.data.import_dataset.labelme import is_labelme, read_labelme
from components.data.import_dataset.pascal_voc import read_pascal_voc
from components.data.import_dataset.settings import read_settings
from components.data.import_dataset.spellings import OTHER_IMAGES, folded
from components.data.import_dataset.splits import read_splits, with_splits
from components.data.import_dataset.tabular import read_csv
from components.data.import_dataset.text import shown, unstorable
from components.data.import_dataset.yolo import read_yolo
from components.shared.contracts.errors import UserError
from components.shared.contracts.values import MAX_CLASSES, MAX_KEY_CHARACTERS, UNSTORABLE

READERS: tuple[Callable[[ImageFolder], ParsedDataset | None], ...] = (
    read_csv,
    read_yolo,
    read_kitti,
)
DOCUMENT_READERS = (
    read_coco,
    read_pascal_voc,
    read_cvat,
    read_labelme,
    read_label_studio,
)
EXPECTED = (
    "expected YOLO labels (.txt), COCO, LabelMe or Label Studio (.json), Pascal VOC or CVAT "
    "(.xml), KITTI labels (.txt), or CSV with the columns image, xmin, ymin, xmax, ymax"
)
XML_ROOTS = ("annotation", "annotations")
UNLABELLED = (
    "it has no label; an empty label file, or a line of the CSV with its name alone, means that "
    "it has no object"
)
MAX_NAME_CHARACTERS = 500  # of an image's path


def find(folder: ImageFolder) -> ParsedDataset:
    """Read a folder in the format with the most information: splits and groups, then images.

    Returns:
        What was found. Images that nobody labelled are among its problems.

    Raises:
        UserError: If there are no annotations of any form, or none can be read or stored.
    """
    documents = read_documents(folder)
    parsed, refusals = _read_all(folder, documents)
    if not parsed:
        raise _nothing(folder, documents, refusals)
    best = max(parsed, key=lambda found: found.richness)
    if not any(image.boxes or image.problems for image in best.images):
        raise _without_boxes(folder, best, documents)
    _check_classes(best)
    splits = read_splits(folder, read_settings(folder))
    images = with_splits([_storable(image) for image in best.images], splits)
    repeats = sum(len(image.boxes) for image in best.images) - sum(len(i.boxes) for i in images)
    others = tuple(f"not used, has fewer labels: {f.form}" for f in parsed if f is not best)
    return replace(
        best,
        images=images,
        problems=(
            *documents.problems,
            *best.problems,
            *splits.problems,
            *_unlabelled(folder, best),
            *_unsupported(folder),
        ),
        notes=(
            *others,
            *map(str, refusals),
            *best.notes,
            *((f"{repeats:,} boxes are given more than once, and used once",) if repeats else ()),
            *splits.notes,
            *_classes_notes(best.classes),
            *_unread_notes(documents),
        ),
    )


def sentence(found: ParsedDataset) -> str:
    """Return a summary of the found dataset in one sentence."""
    given = [
        name
        for name, there in (
            ("splits", any(image.split for image in found.images)),
            ("groups", any(image.group for image in found.images)),
        )
        if there
    ]
    facts = f"{' and '.join(given)} given" if given else "no splits or groups given"
    return f"{found.form} with {len(found.images):,} images, {facts}"


def _read_all(
    folder: ImageFolder, documents: Documents
) -> tuple[list[ParsedDataset], list[UserError]]:
    parsed: list[ParsedDataset] = []
    refusals: list[UserError] = []
    decoded = (partial(read, documents=documents) for read in DOCUMENT_READERS)
    readers: list[Callable[[ImageFolder], ParsedDataset | None]] = [*READERS, *decoded]
    for read in readers:
        try:
            found = read(folder)
        except UserError as refusal:
            refusals.append(refusal)
        else:
            parsed += [found] if found else []
    return parsed, refusals


def _nothing(folder: ImageFolder, documents: Documents, refusals: list[UserError]) -> UserError:
    if refusals:
        return refusals[0]
    if documents.problems:
        first = documents.problems[0]
        return UserError(f"{first.where} {first.detail}; {EXPECTED}")
    there = folder.inventory()
    others = f"{there} are there, in no form that is read" if there else "no other files"
    images = f"{folder.called} has {len(folder.images):,} images"
    if not there:
        return UserError(f"{images} but no annotations, {EXPECTED}")
    return UserError(f"{images}, and {others}; {EXPECTED}")


def _without_boxes(folder: ImageFolder, found: ParsedDataset, documents: Documents) -> UserError:
    lost = (*documents.problems, *found.problems)
    first = f"; {len(lost):,} problems, first: {lost[0].where}: {lost[0].detail}" if lost else ""
    return UserError(
        f"{found.form} in {folder.called} has no box for its {len(folder.images):,} images, "
        f"expected at least one{first}"
    )


def _check_classes(found: ParsedDataset) -> None:
    """Refuse a dataset whose classes cannot be declared, before anything is sent.

    Raises:
        UserError: Naming the first of them.
    """
    if len(found.classes) > MAX_CLASSES:
        count = f"{found.form} has {len(found.classes):,} classes"
        raise UserError(f"{count}, expected at most {MAX_CLASSES:,}")
    for name in found.classes:
        fault = unstorable(name) or ("" if name.strip() else "is empty")
        if len(name) > MAX_KEY_CHARACTERS:
            fault = f"has {len(name):,} characters, expected at most {MAX_KEY_CHARACTERS}"
        if fault:
            raise UserError(f"a class of {found.form} is {shown(name[:60])!r}, which {fault}")


def _classes_notes(classes: tuple[str, ...]) -> Iterator[str]:
    spelled: dict[str, str] = {}
    for name in classes:
        other = spelled.setdefault(folded(name), name)
        if other != name:
            yield f"the classes {other!r} and {name!r} differ only in how they are spelled"


def _unread_notes(documents: Documents) -> Iterator[str]:
    known = (is_coco, is_labelme, is_label_studio)
    files = [n for n, content in documents.contents.items() if not any(k(content) for k in known)]
    files += [n for n, root in documents.roots.items() if root.tag not in XML_ROOTS]
    if files:
        more = f" and {len(files) - 3:,} more" * (len(files) > 3)
        yield f"not read: {', '.join(files[:3])}{more}, of no form that is known"


def _storable(image: FoundImage) -> FoundImage:
    """Return an image with every box once, and a problem if its name cannot be stored."""
    fault = "has bytes that are no UTF-8" if UNSTORABLE.search(image.name) else ""
    if len(image.name) > MAX_NAME_CHARACTERS:
        fault = f"has {len(image.name):,} characters, expected at most {MAX_NAME_CHARACTERS}"
    problem = (Problem(image.name, "unstorable_name", f"its name {fault}"),) if fault else ()
    boxes = without_repeats(image.boxes)
    return replace(image, boxes=boxes, problems=(*image.problems, *problem))


def _unlabelled(folder: ImageFolder, found: ParsedDataset) -> tuple[Problem, ...]:
    known = {image.name for image in found.images}
    return tuple(
        Problem(name, "label_missing", UNLABELLED) for name in folder.images if name not in known
    )


def _unsupported(folder: ImageFolder) -> tuple[Problem, ...]:
    return tuple(
        Problem(name, "unsupported_format", "expected JPEG, PNG, BMP or WebP")
        for name in folder.with_suffix(OTHER_IMAGES)
    )
