"""Read KITTI labels: a text file for each image, a line for each object, boxes in pixels."""

from collections import Counter

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
from components.data.import_dataset.pairing import pair
from components.data.import_dataset.text import finite

VALUES = (15, 16)  # with a score behind them
BOX = slice(4, 8)
IGNORED = "DontCare"  # a region with objects that nobody labelled


def read_kitti(folder: ImageFolder) -> ParsedDataset | None:
    """Read text files in KITTI format; regions marked `DontCare` have no boxes."""
    texts, problems = folder.texts(folder.with_suffix({".txt"}))
    paired = pair(folder.images, list(texts))
    if not any(is_kitti(texts[name]) for name in paired):
        return None
    paired = {name: image for name, image in paired.items() if _may_be(texts[name])}
    values = Counter(len(line.split()) for name in paired for line in texts[name].split("\n"))
    count = max(VALUES, key=lambda count: values[count])
    images = [read_image(image, name, texts[name], count) for name, image in paired.items()]
    ignored = sum(text.count(IGNORED) for name, text in texts.items() if name in paired)
    lost = [name for name, text in texts.items() if is_kitti(text) and name not in paired]
    return ParsedDataset(
        form="KITTI labels",
        classes=labels_of(images),
        images=join([{image.name: image} for image in images]),
        problems=(
            *problems,
            *(Problem(name, "image_missing", "there is no image of this name") for name in lost),
        ),
        notes=(f"{ignored:,} {IGNORED} regions are left out",) if ignored else (),
    )


def is_kitti(text: str) -> bool:
    """Return whether the first line that is not empty has KITTI's format."""
    values = next((line.split() for line in text.split("\n") if line.strip()), [])
    return len(values) in VALUES and values[0][:1].isalpha()


def read_image(image: str, file: str, text: str, count: int) -> FoundImage:
    """Read the label of one image.

    Args:
        image: The image's name.
        file: The label's name.
        text: The label.
        count: Values of each line, 15 or 16.
    """
    lines = [(n, line.split()) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    objects = [(f"{file}:{n}", values) for n, values in lines if values[0] != IGNORED]
    boxes, problems = read_boxes(objects, lambda where, values: _box(where, values, count))
    if lines and not objects:
        detail = f"no object of it is labelled ({IGNORED})"
        problems = (*problems, Problem(file, "crowds_alone", detail))
    return FoundImage(name=image, boxes=boxes, split=split_in(image), problems=problems)


def _box(where: str, values: list[str], count: int) -> FoundBox:
    if len(values) != count:
        raise UnusableError("unreadable_line", f"{len(values)} values, expected {count}")
    x_min, y_min, x_max, y_max = (finite(value, "a value") for value in values[BOX])
    return FoundBox(where, (x_min, y_min, x_max, y_max), values[0])


def _may_be(text: str) -> bool:
    return is_kitti(text) or not text.strip()
