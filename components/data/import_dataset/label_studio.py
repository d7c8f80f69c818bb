"""Read JSON exports of Label Studio: tasks with rectangles in percent of the image."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.data.import_dataset.documents import Documents, size_of
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import (
    FoundBox,
    FoundImage,
    ParsedDataset,
    Problem,
    UnusableError,
    join,
    labels_of,
    read_boxes,
    split_in,
)
from components.data.import_dataset.matching import place_all
from components.data.import_dataset.text import finite

OF_WHOLE_IMAGE = ("choices", "textarea", "rating")
EDGES = ("x", "y", "width", "height")


def read_label_studio(folder: ImageFolder, documents: Documents) -> ParsedDataset | None:
    """Read every JSON file that is a list of tasks; tasks without annotations are left out.

    Args:
        folder: Folder of the images.
        documents: Its decoded JSON files.
    """
    lists = {name: tasks for name, tasks in documents.contents.items() if is_label_studio(tasks)}
    if not lists:
        return None
    tells = {name: read_tasks(name, tasks) for name, tasks in lists.items()}
    images, problems = place_all(folder.index, tells)
    form = f"Label Studio {', '.join(lists)}"
    return ParsedDataset(form=form, classes=labels_of(images), images=images, problems=problems)


def read_tasks(file: str, tasks: list[Any]) -> Iterator[tuple[str, FoundImage]]:
    """Yield the location of each annotated task, and its image under the name in the task.

    Args:
        file: Name of the JSON file.
        tasks: Content of the JSON file.
    """
    for number, task in enumerate(tasks, 1):
        where = f"{file}: task {task.get('id', number)}"
        called = next((v for v in task.get("data", {}).values() if isinstance(v, str)), "")
        done = [
            annotation
            for annotation in task.get("annotations") or task.get("completions") or []
            if isinstance(annotation, dict) and not annotation.get("was_cancelled")
        ]
        answers = [_read(where, called, annotation.get("result")) for annotation in done]
        if answers:
            (image,) = join([{called: answer} for answer in answers])
            yield where, image


def read_region(where: str, region: Any) -> FoundBox:
    """Return a rectangle as a box in fractions.

    Args:
        where: Location of the region, for messages.
        region: One record of `result`.

    Raises:
        UnusableError: `missing_class` or `unreadable_box`.
    """
    region = region if isinstance(region, dict) else {}
    kind, value = region.get("type"), region.get("value")
    if kind not in ("rectanglelabels", "rectangle") or not isinstance(value, dict):
        raise UnusableError("unreadable_box", f"a {kind!r:.40}, expected rectanglelabels")
    labels = value.get("rectanglelabels") or value.get("labels") or []
    if len(labels) != 1 or not isinstance(labels[0], str):
        raise UnusableError("missing_class", f"labels are {labels!r:.60}, expected one name")
    if value.get("rotation"):
        raise UnusableError("unreadable_box", "a rectangle is turned, expected one along the image")
    x, y, width, height = (
        finite(str(value.get(edge)), edge, "unreadable_box") / 100 for edge in EDGES
    )
    return FoundBox(where, (x, y, x + width, y + height), labels[0], relative=True)


def _read(where: str, called: str, regions: Any) -> FoundImage:
    if not isinstance(regions, list):
        problem = Problem(where, "unreadable_box", "it has no result, expected a list")
        return FoundImage(name=called, split=split_in(called), problems=(problem,))
    boxes, problems = read_boxes(
        [(where, region) for region in regions if not _is_of_whole_image(region)], read_region
    )
    size, split = _size(regions), split_in(called)
    return FoundImage(name=called, boxes=boxes, split=split, size=size, problems=problems)


def _is_of_whole_image(region: Any) -> bool:
    return isinstance(region, dict) and region.get("type") in OF_WHOLE_IMAGE


def _size(regions: list[Any]) -> tuple[int, int] | None:
    first: Mapping[str, Any] = next(
        (r for r in regions if isinstance(r, dict) and "original_width" in r), {}
    )
    return size_of(first.get("original_width"), first.get("original_height"))


def is_label_studio(tasks: Any) -> bool:
    """Return whether decoded JSON is a list of tasks of which at least one may be annotated."""
    return (
        isinstance(tasks, list)
        and bool(tasks)
        and all(isinstance(task, dict) and isinstance(task.get("data"), dict) for task in tasks)
        and any("annotations" in task or "completions" in task for task in tasks)
    )
