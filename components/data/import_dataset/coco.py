"""Read COCO annotations: JSON with images, categories and boxes as left, top, width and height."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from components.data.import_dataset.coco_box import read_box, survey
from components.data.import_dataset.documents import Documents, ident, size_of
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import (
    FoundBox,
    FoundImage,
    ParsedDataset,
    Problem,
    join,
    merge,
    read_boxes,
    split_in,
)
from components.data.import_dataset.matching import place

PARTS = ("images", "annotations", "categories")
MAX_STRAY_SHARE = 0.05  # of annotations; where more belong to no image, the images were filtered
Document = Mapping[str, list[dict[str, Any]]]


def read_coco(folder: ImageFolder, documents: Documents) -> ParsedDataset | None:
    """Read every JSON file with `images`, `annotations` and `categories`.

    The split is the one that the file's folder or name tells, such as
    `valid/_annotations.coco.json` or `instances_val2017.json`, or else the image's folder.
    Crowds are left out, for one box surrounds many objects.

    Args:
        folder: Folder of the images.
        documents: Its decoded JSON files.

    Raises:
        UserError: If the boxes of a file are in another form than COCO's.
    """
    cocos = {name: content for name, content in documents.contents.items() if is_coco(content)}
    if not cocos:
        return None
    parts: list[Mapping[str, FoundImage]] = []
    problems: list[Problem] = []
    for name, document in cocos.items():
        survey(name, document)
        images = ((name, image) for image in read_images(name, document))
        placed, lost = place(folder.index, name, images)
        parts.append({image: _with_split(merge(image, same)) for image, same in placed.items()})
        problems += (*lost, *strays(name, document))
    crowds = sum(is_crowd(a) for d in cocos.values() for a in d["annotations"])
    return ParsedDataset(
        form=f"COCO {', '.join(cocos)}",
        classes=classes(cocos.values()),
        images=join(parts),
        problems=tuple(problems),
        notes=(f"{crowds:,} crowds are left out",) if crowds else (),
    )


def is_coco(content: Any) -> bool:
    """Return whether decoded JSON has COCO's three lists of records."""
    return isinstance(content, dict) and all(
        isinstance(content.get(part), list) and all(isinstance(r, dict) for r in content[part])
        for part in PARTS
    )


def classes(documents: Iterable[Document]) -> tuple[str, ...]:
    """Return the names of the categories by id; a category without annotations is left out."""
    names: dict[str, Any] = {}
    for document in documents:
        used = {ident(annotation.get("category_id")) for annotation in document["annotations"]}
        for category in sorted(document["categories"], key=lambda c: ident(c.get("id")).zfill(9)):
            if ident(category.get("id")) in used:
                names.setdefault(str(category.get("name")), None)
    return tuple(names)


def read_images(file: str, document: Document) -> Iterator[FoundImage]:
    """Yield each image of one document under the file name that the document gives.

    Args:
        file: Name of the JSON file.
        document: Content of the JSON file.
    """
    names, doubtful = _names(document), incomplete(file, document)
    of_image: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        of_image[ident(annotation.get("image_id"))].append(annotation)
    records = {(ident(i.get("id")), str(i.get("file_name", ""))): i for i in document["images"]}
    times = Counter(number for number, _ in records)
    for (number, called), image in records.items():
        boxes, problems = _boxes(file, called, of_image[number], names)
        if times[number] > 1:
            detail = f"its id {number} is that of {times[number]} images, expected one"
            problems = (*problems, Problem(called, "conflicting_id", detail))
        if number in doubtful:
            problems = (*problems, Problem(called, "incomplete_label", doubtful[number]))
        yield FoundImage(
            name=called,
            boxes=boxes,
            split=split_in(file),
            size=size_of(image.get("width"), image.get("height")),
            problems=problems,
        )


def strays(file: str, document: Document) -> list[Problem]:
    """Return a problem for each annotation of an image that the document does not list.

    Args:
        file: Name of the JSON file.
        document: Content of the JSON file.
    """
    known = {ident(image.get("id")) for image in document["images"]}
    return [
        Problem(_where(file, annotation), "image_missing", "its image is not listed")
        for annotation in document["annotations"]
        if ident(annotation.get("image_id")) not in known
    ]


def incomplete(file: str, document: Document) -> dict[str, str]:
    """Return the images that an annotation of no listed image may belong to, and why.

    Annotations stand in the order of their images: an image beside a stray one, and any image
    without an annotation, may lack a box. Where strays are many the file was filtered by its
    images, and its other images are complete.

    Args:
        file: Name of the JSON file.
        document: Content of the JSON file.
    """
    known = {ident(image.get("id")): 0 for image in document["images"]}
    order = [ident(annotation.get("image_id")) for annotation in document["annotations"]]
    stray = [number for number in order if number not in known]
    if not stray:
        return {}
    reason = f"{file} has {len(stray):,} annotations of images that it does not list"
    doubtful = {number for number in known if number not in set(order)}
    if len(stray) <= max(1, MAX_STRAY_SHARE * len(order)):
        pairs = list(pairwise(order))
        doubtful |= {a for a, b in pairs if b not in known} | {
            b for a, b in pairs if a not in known
        }
    return dict.fromkeys(doubtful & set(known), reason)


def is_crowd(annotation: Mapping[str, Any]) -> bool:
    """Return whether an annotation is a crowd: one box around many objects."""
    return str(annotation.get("iscrowd", 0)).lower() in ("1", "1.0", "true")


def _names(document: Document) -> dict[str, str]:
    return {ident(c.get("id")): str(c.get("name")) for c in document["categories"]}


def _boxes(
    file: str, called: str, annotations: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> tuple[tuple[FoundBox, ...], tuple[Problem, ...]]:
    objects = [annotation for annotation in annotations if not is_crowd(annotation)]
    boxes, problems = read_boxes(
        [(_where(file, annotation), annotation) for annotation in objects],
        lambda where, annotation: read_box(where, annotation, names),
    )
    if annotations and not objects:
        detail = "all its boxes surround several objects"
        problems = (*problems, Problem(called, "crowds_alone", detail))
    return boxes, problems


def _with_split(image: FoundImage) -> FoundImage:
    return replace(image, split=image.split or split_in(image.name))


def _where(file: str, annotation: Mapping[str, Any]) -> str:
    return f"{file}: annotation {annotation.get('id')}"
