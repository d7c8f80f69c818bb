"""Decode the JSON and XML files of a folder once for all readers, and values in either type."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import Problem
from components.data.import_dataset.text import REPLACED

Element = ElementTree.Element


@dataclass(frozen=True, slots=True)
class Documents:
    """Decoded JSON and XML files of a folder.

    Attributes:
        contents: Decoded JSON by file.
        roots: Root elements of XML by file.
        problems: Files that cannot be read.
    """

    contents: Mapping[str, Any]
    roots: Mapping[str, Element]
    problems: tuple[Problem, ...]


def read_documents(folder: ImageFolder) -> Documents:
    """Decode every JSON and XML file; a file that cannot be decoded becomes a problem."""
    contents: dict[str, Any] = {}
    roots: dict[str, Element] = {}
    texts, problems = folder.texts(folder.with_suffix({".json", ".xml"}))
    for name, text in texts.items():
        try:
            if name.lower().endswith(".xml"):
                roots[name] = parse_xml(text)
            else:
                contents[name] = json.loads(text)
        except (ValueError, RecursionError, ElementTree.ParseError) as cause:
            kind = "XML" if name.lower().endswith(".xml") else "JSON"
            problems.append(Problem(name, "unreadable_file", f"is no {kind}: {str(cause)[:200]}"))
    return Documents(contents, roots, tuple(problems))


def parse_xml(text: str) -> Element:
    """Return the root element.

    Raises:
        ValueError: If it declares entities, which may grow without limit, or bytes are no text.
        ParseError: If it is no XML.
    """
    if "<!ENTITY" in text:
        raise ValueError("it declares entities, expected none")
    if REPLACED in text:
        raise ValueError("it has bytes that are no UTF-8 or UTF-16")
    body = text.split("?>", 1)[-1] if text.lstrip().startswith("<?xml") else text
    return ElementTree.fromstring(body)


def ident(value: Any) -> str:
    """Return an id as text, whether the file has it as a number or as a string.

    >>> ident(7), ident("7"), ident(7.0), ident("007"), ident("a7"), ident(True)
    ('7', '7', '7', '7', 'a7', 'True')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if text.endswith(".0") and text[:-2].isdecimal():
        text = text[:-2]
    return (text.lstrip("0") or "0") if text.isdecimal() else text


def whole_number(value: Any) -> int | None:
    """Return a positive whole number, given as a number or as text, or None.

    >>> whole_number("640"), whole_number(640.0), whole_number(0), whole_number("wide")
    (640, 640, None, None)
    """
    text = ident(value)
    return int(text) if text.isdecimal() and len(text) < 10 and int(text) else None


def size_of(width: Any, height: Any) -> tuple[int, int] | None:
    """Return a size in pixels, or None unless both are positive whole numbers.

    Args:
        width: Number or text.
        height: Number or text.
    """
    sides = whole_number(width), whole_number(height)
    return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])


def text_of(element: Element, path: str) -> str:
    """Return the text of an element below another, stripped; empty if it is not there.

    Args:
        element: The parent element.
        path: Path of the element below the parent.
    """
    return (element.findtext(path) or "").strip()
