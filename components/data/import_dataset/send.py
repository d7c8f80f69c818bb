"""Send every image of a folder as a frame with its label, or as a refusal with the reason."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from components.data.import_dataset.check import check
from components.data.import_dataset.find import find, sentence
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import (
    FoundImage,
    ParsedDataset,
    Problem,
    UnusableError,
)
from components.data.import_dataset.groups import groups_of
from components.data.import_dataset.picture import EPOCH, picture_size, read_picture
from components.data.import_dataset.splits import sentence_of
from components.data.import_dataset.survey import Size, survey
from components.data.import_dataset.text import shown
from components.shared.contracts.errors import UserError
from components.shared.contracts.events import DatasetDeclared
from components.shared.contracts.progress import follow, log_progress
from components.shared.contracts.record import RecordError
from components.shared.store.frames import Frame, FrameSender
from components.shared.store.objects import digest_bytes

NAMED = 3  # refusals of each reason that are said aloud; all are in quarantine
MAX_NAMES = 20  # of classes, in the sentence that ends an import


@dataclass(slots=True)
class ImportCounts:
    """Counts of an import: images sent, images refused by reason."""

    classes: tuple[str, ...]
    images: int = 0
    boxes: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return the sentence that ends an import."""
        words = "class" if len(self.classes) == 1 else "classes"
        names = ", ".join(self.classes[:MAX_NAMES])
        more = f" and {len(self.classes) - MAX_NAMES:,} more" * (len(self.classes) > MAX_NAMES)
        counts = f"{self.images:,} images imported, {self.boxes:,} boxes, {words} {names}{more}"
        return f"{counts}; {self.refusals()}" if self.refused else counts

    def refusals(self) -> str:
        """Return the number of refusals by reason, the most frequent first."""
        reasons = (f"{count:,} {reason}" for reason, count in self.refused.most_common())
        return f"{self.refused.total():,} refused: {', '.join(reasons)} (all in quarantine)"


def import_folder(folder: ImageFolder, sender: FrameSender) -> ImportCounts:
    """Send all valid images of a folder, and a refusal for each of the others.

    Nothing depends on clocks or on where the folder lies: importing it again sends the
    same events.

    Args:
        folder: With images and annotations of any form.
        sender: Sends for the dataset.

    Raises:
        UserError: If there is nothing to import, all labels share a fault, or not one image is
            right or has a box.
    """
    _check_name(sender.dataset)
    found = find(folder)
    log_progress(sentence(found))
    for note in filter(None, (*found.notes, sentence_of(found.images))):
        log_progress(shown(note))
    _check_shared_fault(found)
    kept = _distinct(folder, found)
    sender.declare(found.classes, EPOCH)
    tally = ImportCounts(found.classes)
    _refuse(sender, tally, found.problems, b"")
    images = _grouped(kept)
    sizes = Counter(group for _, group in images)
    progress = follow(len(images), "images")
    for number, (image, group) in enumerate(images, 1):
        camera = group if sizes[group] > 1 else sender.dataset
        _send(folder, sender, tally, image, group, camera)
        progress(number)
    if not tally.boxes:
        what = "image" if not tally.images else "box"
        raise UserError(f"no {what} of {folder.called} can be used; {tally.refusals()}")
    return tally


def without_copies(images: Iterable[FoundImage], digests: Mapping[str, str]) -> list[FoundImage]:
    """Remove duplicate images; copies with different labels are all refused.

    Args:
        images: As they were found.
        digests: Of each image's bytes, by its name.

    Returns:
        Images in their order; those that contradict each other have a problem more.
    """
    copies: dict[str, list[FoundImage]] = defaultdict(list)
    for image in images:
        copies[digests[image.name]].append(image)
    kept: list[FoundImage] = []
    for same in copies.values():
        reason = contradiction(same)
        kept += (
            same[:1] if reason is None else [_contradicted(image, same, reason) for image in same]
        )
    return sorted(kept, key=lambda image: image.name)


def contradiction(same: list[FoundImage]) -> str | None:
    """Return the reason why copies of one image contradict each other, or None."""
    if len({tuple(sorted((box.edges, box.label) for box in image.boxes)) for image in same}) > 1:
        return "conflicting_labels"
    if len({image.split for image in same}) > 1:
        return "conflicting_split"
    return None


def _contradicted(image: FoundImage, same: list[FoundImage], reason: str) -> FoundImage:
    others = ", ".join(other.name for other in same if other is not image)
    problem = Problem(image.name, reason, f"the same image as {others[:200]}, labelled differently")
    return replace(image, problems=(*image.problems, problem))


def _check_name(dataset: str) -> None:
    try:
        DatasetDeclared(dataset=dataset, classes=("any",))
    except ValueError as cause:
        raise UserError(
            f"a dataset cannot be called {dataset!r}, expected small letters, digits and dashes"
        ) from cause


def _check_shared_fault(found: ParsedDataset) -> None:
    """Refuse a fault that all labels share, once.

    Raises:
        UserError: If no label can be used.
    """
    problems = [problem for image in found.images for problem in image.problems]
    if not problems or not all(image.problems for image in found.images):
        return
    ((reason, count),) = Counter(problem.reason for problem in problems).most_common(1)
    first = next(problem for problem in problems if problem.reason == reason)
    raise UserError(
        f"no label of {found.form} can be used: {count:,} times {reason}, the first is "
        f"{shown(first.where)}: {shown(first.detail)}"
    )


def _distinct(folder: ImageFolder, found: ParsedDataset) -> list[FoundImage]:
    """Leave out copies, after all boxes were looked at together."""
    digests: dict[str, str] = {}
    sizes: dict[str, Size] = {}
    for image in found.images:
        content = _content(folder, image.name)
        digests[image.name] = digest_bytes(content) if content else image.name
        if size := picture_size(content):
            sizes[image.name] = size
    for note in survey(found.form, found.images, sizes):
        log_progress(note)
    images = without_copies(found.images, digests)
    if copies := len(found.images) - len(images):
        log_progress(f"{copies:,} copies of other images, with the same labels, are left out")
    return images


def _grouped(images: list[FoundImage]) -> list[tuple[FoundImage, str]]:
    derived = groups_of(image.name for image in images)
    return [(image, image.group or derived[image.name]) for image in images]


def _content(folder: ImageFolder, name: str) -> bytes:
    try:
        return folder.bytes(name)
    except UnusableError:
        return b""


def _send(
    folder: ImageFolder,
    sender: FrameSender,
    tally: ImportCounts,
    image: FoundImage,
    group: str,
    camera: str,
) -> None:
    content = b""
    try:
        content = folder.bytes(image.name)
        picture = read_picture(content)
    except UnusableError as error:
        _refuse(sender, tally, [Problem(image.name, error.reason, str(error))], content)
        return
    boxes, problems = check(image, picture.width, picture.height)
    if problems:
        _refuse(sender, tally, problems, content)
        return
    try:
        sender.send(
            Frame(
                jpeg=picture.jpeg,
                width=picture.width,
                height=picture.height,
                camera=camera,
                captured_at=picture.captured_at,
                source_name=image.name,
                group=group,
                split=image.split,
                boxes=boxes,
                labelled_at=EPOCH,
            )
        )
    except RecordError as error:
        _refuse(sender, tally, [Problem(image.name, "not_storable", str(error))], content)
        return
    tally.images += 1
    tally.boxes += len(boxes)


def _refuse(
    sender: FrameSender, tally: ImportCounts, problems: Iterable[Problem], content: bytes
) -> None:
    for problem in problems:
        where, detail = shown(problem.where), shown(problem.detail)
        sender.refuse(where, problem.reason, detail, content, EPOCH)
        if tally.refused[problem.reason] < NAMED:
            log_progress(f"refused, {problem.reason}: {where}: {detail}")
        tally.refused[problem.reason] += 1
