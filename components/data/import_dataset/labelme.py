"""Read LabelMe annotations: a JSON file for each image, with `shapes` of points in pixels."""

from collections.abc import Mapping
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
from components.data.import_dataset.matching import resolve
from components.data.import_dataset.pairing import pair
from components.data.import_dataset.text import finite

MIN_POINTS = {"rectangle": 2, "polygon": 3}


def read_labelme(folder: ImageFolder, documents: Documents) -> ParsedDataset | None:
    """Read every JSON file with `shapes` and `imagePath`.

    An image is the one with the file's name, or the one that `imagePath` names.

    Args:
        folder: Folder of the images.
        documents: Its decoded JSON files.
    """
    records = {name: content for name, content in documents.contents.items() if is_labelme(content)}
    if not records:
        return None
    paired = pair(folder.images, list(records))
    images: list[FoundImage] = []
    problems: list[Problem] = []
    for name, record in records.items():
        called = str(record["imagePath"])
        if image := paired.get(name) or resolve(folder.index, name, [called]).get(called):
            images.append(read_image(image, name, record))
        else:
            problems.append(Problem(name, "image_missing", f"there is no image {called!r}"))
    return ParsedDataset(
        form="LabelMe files",
        classes=labels_of(images),
        images=join([{image.name: image} for image in images]),
        problems=tuple(problems),
    )


def read_image(image: str, file: str, record: Mapping[str, Any]) -> FoundImage:
    """Read the shapes of one image.

    Args:
        image: The image's name.
        file: The JSON file.
        record: Decoded JSON of the file.
    """
    shapes = enumerate(record["shapes"], 1)
    boxes, problems = read_boxes(
        [(f"{file}: shape {number}", shape) for number, shape in shapes], read_shape
    )
    size = size_of(record.get("imageWidth"), record.get("imageHeight"))
    return FoundImage(name=image, boxes=boxes, split=split_in(image), size=size, problems=problems)


def read_shape(where: str, shape: Any) -> FoundBox:
    """Return the bounding box of a rectangle or a polygon.

    Args:
        where: Location of the shape, for messages.
        shape: One record of `shapes`.

    Raises:
        UnusableError: `missing_class` or `unreadable_box`.

    >>> read_shape("a.json", {"label": "car", "points": [[5, 9], [1, 2]]}).edges
    (1.0, 2.0, 5.0, 9.0)
    """
    shape = shape if isinstance(shape, dict) else {}
    label, kind, points = shape.get("label"), shape.get("shape_type"), shape.get("points")
    if not label or not isinstance(label, str):
        raise UnusableError("missing_class", f"label is {label!r:.40}, expected a name")
    pairs = points if isinstance(points, list) else []
    kind = kind or ("rectangle" if len(pairs) == 2 else "polygon")
    if kind not in MIN_POINTS:
        raise UnusableError("unreadable_box", f"a {kind!r:.40}, expected a rectangle or a polygon")
    if len(pairs) < MIN_POINTS[kind] or not all(isinstance(p, list) and len(p) == 2 for p in pairs):
        raise UnusableError("unreadable_box", f"points are {points!r:.80}, expected pairs of them")
    xs, ys = ([finite(str(p[i]), "a point", "unreadable_box") for p in pairs] for i in (0, 1))
    return FoundBox(where, (min(xs), min(ys), max(xs), max(ys)), label)


def is_labelme(content: Any) -> bool:
    """Return whether decoded JSON has the form of a LabelMe file."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("shapes"), list)
        and "imagePath" in content
    )
