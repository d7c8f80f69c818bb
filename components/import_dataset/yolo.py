"""YOLO: a text file an image, a line a box as class, centre and size in fractions of the image."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

import yaml

from components.contracts.refusal import Refusal
from components.import_dataset.folder import Folder
from components.import_dataset.found import (
    Found,
    FoundBox,
    FoundImage,
    Problem,
    UnusableError,
    finite,
    split_in,
)

DEFAULT_CLASS = "car"
NAME_LISTS = ("classes.txt", "labels.txt", "obj.names", "predefined_classes.txt")
Edges = tuple[float, float, float, float]


def read_yolo(folder: Folder) -> Found | None:
    """Read text files in folders called `labels`, or beside their images.

    A label belongs to the image with its name, where `labels` stands for `images`. An
    empty file says that nothing is in the image; an image without a file was never looked
    at, and is no background.
    """
    images = {key(image): image for image in folder.images}
    labels = {name: images.get(key(name)) for name in folder.files if _is_label(name, images)}
    texts = {name: folder.text(name) for name, image in labels.items() if image}
    if not texts:
        return None
    named = read_names(folder)
    names = named or names_for(texts.values())
    read = (read_image(labels[name] or "", name, text, names) for name, text in texts.items())
    return Found(
        form="YOLO labels" if named else f"YOLO labels without a data.yaml (all {DEFAULT_CLASS})",
        classes=names,
        images=tuple(sorted(read, key=lambda image: image.name)),
        problems=tuple(
            Problem(name, "image_missing", "there is no image of this name")
            for name, image in labels.items()
            if not image
        ),
    )


def key(name: str) -> tuple[str, ...]:
    """Return what an image and its label share.

    >>> key("images/val/a.jpg") == key("labels/val/a.txt"), key("test/images/a.png")
    (True, ('test', 'a'))
    """
    parts = PurePosixPath(name).with_suffix("").parts
    return tuple(part for part in parts[:-1] if part not in ("images", "labels")) + parts[-1:]


def read_names(folder: Folder) -> tuple[str, ...]:
    """Return the names of the classes by index, from a data.yaml or a list; empty if none.

    Raises:
        Refusal: If a file that should hold them cannot be read.
    """
    for name in folder.with_suffix({".yaml", ".yml"}):
        try:
            content: Any = yaml.safe_load(folder.text(name))
        except yaml.YAMLError as cause:
            raise Refusal(f"{name} is no YAML: {' '.join(str(cause).split())}") from cause
        if isinstance(content, dict) and content.get("names"):
            return _in_order(name, content["names"])
    lists = [name for name in folder.files if PurePosixPath(name).name in NAME_LISTS]
    return (
        tuple(line.strip() for line in folder.text(lists[0]).split("\n") if line.strip())
        if lists
        else ()
    )


def names_for(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the classes where nothing gives any: only a single one needs none.

    Raises:
        Refusal: If there are several.
    """
    used = {line.split()[0] for text in texts for line in text.split("\n") if line.strip()}
    if used - {"0"}:
        raise Refusal(
            f"YOLO labels use classes {', '.join(sorted(used)[:9])}, "
            "expected a data.yaml with their names"
        )
    return (DEFAULT_CLASS,)


def read_image(image: str, file: str, text: str, names: Sequence[str]) -> FoundImage:
    """Read the label of one image.

    Args:
        image: The image's name.
        file: The label's name.
        text: The label.
        names: Names of the classes, by index.
    """
    boxes: list[FoundBox] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{file}:{number}"
        try:
            if line.strip():
                boxes.append(FoundBox(where, *read_line(line, names), relative=True))
        except UnusableError as error:
            problems.append(Problem(where, error.reason, str(error)))
    return FoundImage(
        name=image, boxes=tuple(boxes), split=split_in(image), problems=tuple(problems)
    )


def read_line(line: str, names: Sequence[str]) -> tuple[Edges, str]:
    """Return the edges of a box as fractions, and its class.

    A line with more than two corners is an outline, whose box is what surrounds it.

    Raises:
        UnusableError: `unreadable_line`, `missing_class` or `unknown_class`.

    >>> read_line("1 0.5 0.5 0.5 0.25", ["bus", "car"])
    ((0.25, 0.375, 0.75, 0.625), 'car')
    >>> read_line("0 .1 .2 .3 .2 .3 .4", ["bus"])
    ((0.1, 0.2, 0.3, 0.4), 'bus')
    """
    values = line.split()
    if len(values) == 4:
        raise UnusableError("missing_class", "4 values, expected a class before them")
    if len(values) != 5 and (len(values) < 7 or len(values) % 2 == 0):
        raise UnusableError("unreadable_line", f"{len(values)} values, expected class and box")
    index, *numbers = (finite(value, "a value") for value in values)
    if index != int(index) or not 0 <= index < len(names):
        raise UnusableError("unknown_class", f"class {values[0]}, expected 0 to {len(names) - 1}")
    return _edges(numbers), names[int(index)]


def _edges(numbers: Sequence[float]) -> Edges:
    if len(numbers) == 4:
        x, y, width, height = numbers
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def _in_order(file: str, names: Any) -> tuple[str, ...]:
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        return tuple(str(names[index]) for index in range(len(names)))
    if isinstance(names, list):
        return tuple(map(str, names))
    raise Refusal(f"names in {file} are {names!r:.80}, expected a list, or 0: name and so on")


def _is_label(name: str, images: dict[tuple[str, ...], str]) -> bool:
    path = PurePosixPath(name)
    if path.suffix.lower() != ".txt" or path.name in NAME_LISTS:
        return False
    return "labels" in path.parts[:-1] or key(name) in images
