"""Define types of event values that JSON and PostgreSQL can store: no NUL, surrogates or NaN."""

import re
from datetime import UTC, datetime
from typing import Annotated
from unicodedata import is_normalized, normalize

from pydantic import AwareDatetime, Field, StringConstraints

# A camera whose clock was never set says 1970; nothing of ours was taken before, nor will be
# after, and every time zone can name these instants.
FIRST_INSTANT, LAST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Instant = Annotated[AwareDatetime, Field(ge=FIRST_INSTANT, lt=LAST_INSTANT)]

MAX_INTEGER = 2**31 - 1  # of PostgreSQL's type integer
MAX_LARGE_INTEGER = 2**63 - 1  # of bigint
MAX_KEY_CHARACTERS = 600  # of what stands in an index, whose keys may have 2,704 bytes
MAX_TEXT_CHARACTERS = 2_000
MAX_URI_CHARACTERS = 1_024
MAX_CLASSES = 2_000  # of one dataset
MAX_BOXES = 5_000  # of one image

NO_NUL = r"^[^\x00]*$"  # PostgreSQL cannot hold U+0000
NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"  # of a dataset
UNSTORABLE = re.compile("[\0\ud800-\udfff]")

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARACTERS, pattern=NO_NUL)]
ShortText = Annotated[str, StringConstraints(max_length=MAX_KEY_CHARACTERS, pattern=NO_NUL)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_CHARACTERS, pattern=NO_NUL)]
Uri = Annotated[str, StringConstraints(max_length=MAX_URI_CHARACTERS, pattern=NO_NUL)]
Pixels = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Bytes = Annotated[int, Field(ge=1, le=MAX_LARGE_INTEGER)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=NAME)]


def is_composed(text: str) -> bool:
    """Return whether a text is in Unicode's normal form C, where equal texts have equal bytes."""
    return text.isascii() or is_normalized("NFC", text)


def composed(text: str) -> str:
    """Return a text in Unicode's normal form C."""
    return text if is_composed(text) else normalize("NFC", text)


def storable(text: str, max_characters: int = MAX_TEXT_CHARACTERS) -> str:
    r"""Return a text that can be stored: invalid characters become U+FFFD, and it is truncated.

    Args:
        text: Any text.
        max_characters: Maximum length of the result.

    >>> storable("a\0b\udcff" + "c" * 9, max_characters=6)
    'a�b�c…'
    """
    shown = composed(UNSTORABLE.sub("�", text))
    return shown if len(shown) <= max_characters else shown[: max_characters - 1] + "…"
