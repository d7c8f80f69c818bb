"""Spellings of the name of one image file: slashes, case, URLs, endings and prefixes of uploads."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

IMAGES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp"})
OTHER_IMAGES = frozenset({".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".jp2"})
UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before a file's name


def folded(text: str) -> str:
    """Return a text in one case and one normal form, without blanks around it."""
    return unicodedata.normalize("NFC", text).casefold().strip()


def spellings(called: str) -> Iterator[str]:
    """Yield the paths that an annotation may mean, the likeliest first.

    >>> list(spellings("https://labels.example.com/upload/1a2b3c4d-a%20b.jpg"))[-2:]
    ['/upload/1a2b3c4d-a b.jpg', 'a b.jpg']
    """
    path = spelling_of(called)
    yield from dict.fromkeys((called, path, path.strip()))
    parts = urlsplit(path) if "://" in path or "?" in path else None
    if parts:
        inner = parse_qs(parts.query).get("d", [])
        yield from (*inner, parts.path)
        path = inner[0] if inner else parts.path
    yield unquote(path)
    name = PurePosixPath(unquote(path)).name
    if UPLOAD.match(name):
        yield UPLOAD.sub("", name)


def spelling_of(called: str) -> str:
    """Return a path with the slashes of this system."""
    return called.replace("\\", "/")


def stem(name: str) -> str:
    """Return a name without the ending of an image, if it has one."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in IMAGES | OTHER_IMAGES else name
