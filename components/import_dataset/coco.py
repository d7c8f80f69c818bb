"""COCO: one JSON file with images, categories and boxes as left, top, width and height."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from components.contracts.refusal import Refusal
from components.import_dataset.folder import Folder
from components.import_dataset.found import (
    Found,
    FoundBox,
    FoundImage,
    Problem,
    UnusableError,
    finite,
    merge,
    split_in,
)

PARTS = ("images", "annotations", "categories")
Document = Mapping[str, list[dict[str, Any]]]


def read_coco(folder: Folder) -> Found | None:
    """Read every JSON file with `images`, `annotations` and `categories`.

    The split is the one that the file's folder or name tells, such as
    `valid/_annotations.coco.json` or `instances_val2017.json`, or else the image's folder.
    Crowds are left out, for one box surrounds many objects.

    Raises:
        Refusal: If a JSON file cannot be read.
    """
    contents = {name: _load(folder, name) for name in folder.with_suffix({".json"})}
    documents = {name: content for name, content in contents.items() if is_coco(content)}
    if not documents:
        return None
    images: dict[str, list[FoundImage]] = defaultdict(list)
    problems: list[Problem] = []
    for name, document in documents.items():
        for image in read_images(name, document):
            if there := folder.image(image.name, beside=name):
                images[there].append(replace(image, split=image.split or split_in(there)))
            else:
                problems.append(Problem(name, "image_missing", f"there is no image {image.name!r}"))
        problems += strays(name, document)
    crowds = sum(bool(a.get("iscrowd")) for d in documents.values() for a in d["annotations"])
    return Found(
        form=f"COCO {', '.join(documents)}",
        classes=classes(documents.values()),
        images=tuple(merge(name, told) for name, told in sorted(images.items())),
        problems=tuple(problems),
        notes=(f"{crowds:,} crowds are left out",) if crowds else (),
    )


def is_coco(content: Any) -> bool:
    """Say whether decoded JSON has COCO's three lists of records."""
    return isinstance(content, dict) and all(
        isinstance(content.get(part), list) and all(isinstance(r, dict) for r in content[part])
        for part in PARTS
    )


def classes(documents: Iterable[Document]) -> tuple[str, ...]:
    """Return the names of the categories by id; one that nothing belongs to is no class."""
    names: dict[str, Any] = {}
    for document in documents:
        used = {annotation.get("category_id") for annotation in document["annotations"]}
        for category in sorted(document["categories"], key=lambda c: str(c.get("id")).zfill(9)):
            if category.get("id") in used:
                names.setdefault(str(category.get("name")), None)
    return tuple(names)


def read_images(file: str, document: Document) -> Iterator[FoundImage]:
    """Yield each image of one document, called as the document calls it."""
    names = {c.get("id"): str(c.get("name")) for c in document["categories"]}
    of_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        if not annotation.get("iscrowd"):
            of_image[annotation.get("image_id")].append(annotation)
    for image in document["images"]:
        boxes, problems = _boxes(file, of_image[image.get("id")], names)
        width, height = image.get("width"), image.get("height")
        yield FoundImage(
            name=str(image.get("file_name", "")),
            boxes=boxes,
            split=split_in(file),
            size=(width, height) if isinstance(width, int) and isinstance(height, int) else None,
            problems=problems,
        )


def strays(file: str, document: Document) -> list[Problem]:
    """Return a problem for each annotation of an image that the document does not list."""
    known = {image.get("id") for image in document["images"]}
    return [
        Problem(_where(file, annotation), "image_missing", "its image is not listed")
        for annotation in document["annotations"]
        if annotation.get("image_id") not in known
    ]


def read_box(where: str, annotation: Mapping[str, Any], names: Mapping[Any, str]) -> FoundBox:
    """Return one annotation as a box in pixels.

    Raises:
        UnusableError: `missing_class`, `unknown_class` or `unreadable_box`.

    >>> read_box("a.json", {"category_id": 1, "bbox": [10, 20, 30, 5]}, {1: "car"}).edges
    (10.0, 20.0, 40.0, 25.0)
    """
    category, box = annotation.get("category_id"), annotation.get("bbox")
    if category is None:
        raise UnusableError("missing_class", "category_id is missing")
    if category not in names:
        raise UnusableError("unknown_class", f"category {category}, expected one of {list(names)}")
    if not isinstance(box, list) or len(box) != 4:
        raise UnusableError("unreadable_box", f"bbox is {box!r:.80}, expected four numbers")
    x, y, width, height = (finite(str(value), "bbox", "unreadable_box") for value in box)
    return FoundBox(where, (x, y, x + width, y + height), names[category])


def _boxes(
    file: str, annotations: Iterable[Mapping[str, Any]], names: Mapping[Any, str]
) -> tuple[tuple[FoundBox, ...], tuple[Problem, ...]]:
    boxes: list[FoundBox] = []
    problems: list[Problem] = []
    for annotation in annotations:
        where = _where(file, annotation)
        try:
            boxes.append(read_box(where, annotation, names))
        except UnusableError as error:
            problems.append(Problem(where, error.reason, str(error)))
    return tuple(boxes), tuple(problems)


def _where(file: str, annotation: Mapping[str, Any]) -> str:
    return f"{file}: annotation {annotation.get('id')}"


def _load(folder: Folder, name: str) -> Any:
    try:
        return json.loads(folder.text(name))
    except (ValueError, RecursionError) as cause:
        raise Refusal(f"{name} is no JSON: {cause}") from cause
