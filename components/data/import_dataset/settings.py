"""Read dataset settings from a YOLO `data.yaml`, a darknet `.data` file or a list of names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml

from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import UnusableError, split_called
from components.data.import_dataset.text import REPLACED
from components.shared.contracts.errors import UserError
from components.shared.contracts.events import Split

NAME_LISTS = ("classes.txt", "labels.txt", "obj.names", "predefined_classes.txt")
NAME_SUFFIXES = (".names", ".labels")
MAX_CHARACTERS = 1_000_000  # of a data.yaml; PyYAML reads 1 MB in about 10 s


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSettings:
    """Settings of one file: classes and paths of splits.

    Attributes:
        file: The file.
        names: Of the classes, by index; empty if it gives none.
        count: How many classes it says there are, if it does.
        base: Folder that its paths start from.
        paths: Folders and lists of images by split.
        keypoints: Number of keypoints behind each box, and of values of each; (0, 0) if none.
    """

    file: str
    names: tuple[str, ...] = ()
    count: int | None = None
    base: str = ""
    paths: Mapping[Split, tuple[str, ...]] = field(default_factory=dict)
    keypoints: tuple[int, int] = (0, 0)


def read_settings(folder: ImageFolder) -> list[FormatSettings]:
    """Read every `data.yaml` and darknet `.data` file.

    Raises:
        UserError: If a file that gives names or splits cannot be understood.
    """
    yamls = [read_yaml(name, _text(folder, name)) for name in folder.with_suffix({".yaml", ".yml"})]
    return [s for s in yamls if s] + [
        read_darknet(name, _text(folder, name)) for name in folder.with_suffix({".data"})
    ]


def read_yaml(file: str, text: str) -> FormatSettings | None:
    """Read a `data.yaml`, every scalar as text; None if the file is another kind of YAML.

    Args:
        file: Name of the file.
        text: Its content.

    Raises:
        UserError: If it is no YAML, or its names are none.

    >>> read_yaml("data.yaml", "names: {0: car, 1: no}").names
    ('car', 'no')
    """
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        content: Any = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as cause:
        raise UserError(f"{file} is no YAML: {' '.join(str(cause).split())[:300]}") from cause
    if not isinstance(content, dict) or not {"names", "train", "val"} & set(content):
        return None
    count, base = content.get("nc"), content.get("path")
    return FormatSettings(
        file=file,
        names=_in_order(file, content["names"]) if content.get("names") else (),
        count=int(count) if isinstance(count, str) and count.isdecimal() else None,
        base=base if isinstance(base, str) else "",
        paths=_paths(content),
        keypoints=_keypoints(file, content.get("kpt_shape")),
    )


def read_darknet(file: str, text: str) -> FormatSettings:
    """Read lines such as `train = data/train.txt`.

    Args:
        file: Name of the file.
        text: Its content.
    """
    pairs = [line.split("=", 1) for line in text.split("\n") if line.count("=") == 1]
    return FormatSettings(file=file, paths=_paths({a.strip(): b.strip() for a, b in pairs}))


def read_names(folder: ImageFolder, settings: list[FormatSettings]) -> tuple[str, tuple[str, ...]]:
    """Return the file that names the classes, and the names by index; empty if there is none.

    Args:
        folder: Folder of the dataset.
        settings: Settings files of the folder.

    Raises:
        UserError: If two files of one kind give different names, `nc` is another number, or a
            list is no text.
    """
    by_file = {s.file: s.names for s in settings if s.names} or {
        name: _listed(folder, name) for name in _name_lists(folder)
    }
    for setting in settings:
        if setting.names and setting.count not in (None, len(setting.names)):
            counted = (
                f"{setting.file} says nc: {setting.count}, and names {len(setting.names)} classes"
            )
            raise UserError(f"{counted}, expected as many names as classes")
    if len(set(by_file.values())) > 1:
        files = " and ".join(list(by_file)[:3])
        raise UserError(f"{files} give different names of the classes, expected one list of names")
    return next(iter(by_file.items()), ("", ()))


def is_name_list(name: str) -> bool:
    """Return whether a file name is that of a list of class names."""
    path = PurePosixPath(name)
    return path.name.lower() in NAME_LISTS or path.suffix.lower() in NAME_SUFFIXES


def _name_lists(folder: ImageFolder) -> list[str]:
    lists = [name for name in folder.files if is_name_list(name)]
    # LabelImg installs predefined_classes.txt; what was labelled stands in classes.txt.
    chosen = [name for name in lists if not name.endswith(NAME_LISTS[-1])]
    return chosen or lists


def _listed(folder: ImageFolder, name: str) -> tuple[str, ...]:
    text = _text(folder, name)
    if REPLACED in text:
        raise UserError(f"{name} is no UTF-8 or UTF-16, expected the names of classes in UTF-8")
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def _text(folder: ImageFolder, name: str) -> str:
    try:
        return folder.text(name)
    except UnusableError as cause:
        raise UserError(f"{name} cannot be read: {cause}") from cause


def _paths(content: Mapping[str, Any]) -> dict[Split, tuple[str, ...]]:
    paths: dict[Split, tuple[str, ...]] = {}
    for word, value in content.items():
        split = split_called(word) if isinstance(word, str) else None
        values = value if isinstance(value, list) else [value]
        if split and all(isinstance(path, str) for path in values):
            paths[split] = tuple(path for path in values if path.strip() not in ("", "null", "~"))
    return paths


def _keypoints(file: str, shape: Any) -> tuple[int, int]:
    if shape is None:
        return 0, 0
    numbers = shape if isinstance(shape, list) and len(shape) == 2 else ()
    if not numbers or not all(isinstance(n, str) and n.isdecimal() for n in numbers):
        # An alias may stand for more than can be printed.
        value = repr(shape) if isinstance(shape, str) else f"another {type(shape).__name__}"
        raise UserError(f"kpt_shape in {file} is {value:.80}, expected [points, 2 or 3]")
    return int(numbers[0]), int(numbers[1])


def _in_order(file: str, names: Any) -> tuple[str, ...]:
    if isinstance(names, dict) and set(names) == {str(index) for index in range(len(names))}:
        names = [names[str(index)] for index in range(len(names))]
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(name.strip() for name in names)
    value = names if isinstance(names, str) else type(names).__name__
    raise UserError(f"names in {file} are {value:.80}, expected a list, or 0: name and so on")
