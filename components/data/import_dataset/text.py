"""Decode text files of unknown encoding, parse numbers, and sanitise text from outside."""

import codecs
import math
import re

from components.data.import_dataset.found import UnusableError

REPLACED = "\ufffd"  # stands for bytes that are no text of the encoding
MAX_SHOWN_CHARACTERS = 500
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# `float` reads more than files of annotations have: underscores, and digits of other scripts.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def decode(content: bytes) -> str:
    r"""Decode UTF-8, UTF-16 or UTF-32 with every line ended by `\n`; other bytes become U+FFFD.

    >>> decode("0 .5\r\n".encode("utf-16")), decode(b"a\rb"), decode(b"\xe9")
    ('0 .5\n', 'a\nb', '\ufffd')
    """
    text = content.decode(_encoding(content), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def finite(text: str, what: str, reason: str = "unreadable_line") -> float:
    """Read a number in ASCII digits.

    Args:
        text: Its digits.
        what: Name of the value in the error.
        reason: The code of the complaint.

    Raises:
        UnusableError: If it is none, or not finite.
    """
    number = float(text) if NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(number):
        raise UnusableError(reason, f"{what} is {text[:40]!r}, expected a number")
    return number


def shown(text: str) -> str:
    r"""Return a text on one line that every terminal and database accepts.

    >>> shown("line\nbreak \udce9.jpg")
    'line\\x0abreak \\xe9.jpg'
    """
    text = text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}..."
    return UNPRINTABLE.sub(lambda found: _escaped(ord(found[0])), text)


def unstorable(text: str) -> str | None:
    """Return why a text cannot be stored, or None if it can."""
    if REPLACED in text:
        return "has bytes that are no UTF-8 or UTF-16"
    if re.search(r"[\ud800-\udfff]", text):
        return "has bytes or surrogates that are no text"
    return "has a control character" if UNPRINTABLE.search(text) else None


def _escaped(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte of a name that is no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _encoding(content: bytes) -> str:
    marked = next((name for mark, name in MARKS if content.startswith(mark)), None)
    if marked or b"\0" not in content[:400]:
        return marked or "utf-8"
    zeros = [content[start:400:2].count(0) for start in (0, 1)]
    if max(zeros) < 4 * max(1, min(zeros)):
        return "utf-8"
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
