"""Read orientation and capture time from EXIF metadata.

Metadata that cannot be parsed is ignored without an error, and at most a few hundred entries
are read.

Source:
    CIPA DC-008, Exif 3.0: section 4.5 (structure), 4.6 (tags).
"""

from dataclasses import dataclass
from typing import Literal

EXIF = b"Exif\0\0"
ORDERS: dict[bytes, Literal["little", "big"]] = {b"II": "little", b"MM": "big"}
ORIENTATION, FOLDER, TAKEN_AT, TAKEN_OFFSET = 0x0112, 0x8769, 0x9003, 0x9011
MAX_ENTRIES = 500  # of one folder; cameras write fewer than 100
MAX_TEXT = 100  # bytes
ENTRY_BYTES, VALUE_AT, IN_PLACE = 12, 8, 4


@dataclass(frozen=True, slots=True)
class Exif:
    """Parsed EXIF metadata.

    Attributes:
        orientation: 1 to 8, as Exif numbers them; 1 if the picture is stored upright.
        taken_at: Local time as `YYYY:MM:DD HH:MM:SS`, or empty.
        offset: Of that time from UTC as `+HH:MM`, or empty.
    """

    orientation: int = 1
    taken_at: str = ""
    offset: str = ""

    @property
    def swaps_sides(self) -> bool:
        """Whether the upright image has width and height of the stored one swapped."""
        return self.orientation >= 5


def read_exif(note: bytes) -> Exif:
    """Parse EXIF metadata, which begins with its byte order.

    >>> read_exif(bytes.fromhex("4d4d002a00000008" "0001" "0112000300000001" "00060000"))
    Exif(orientation=6, taken_at='', offset='')
    >>> read_exif(b"nothing of the kind")
    Exif(orientation=1, taken_at='', offset='')
    """
    order = ORDERS.get(note[:2])
    if order is None:
        return Exif()
    reader = _Reader(note, order)
    first = reader.entries(reader.number(4, 4))
    orientation = reader.number(first[ORIENTATION], 2) if ORIENTATION in first else 1
    folder = reader.entries(reader.number(first[FOLDER], 4)) if FOLDER in first else {}
    return Exif(
        orientation if 1 <= orientation <= 8 else 1,
        reader.text(folder.get(TAKEN_AT)),
        reader.text(folder.get(TAKEN_OFFSET)),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    note: bytes
    order: Literal["little", "big"]

    def number(self, at: int, size: int) -> int:
        return int.from_bytes(self.note[at : at + size], self.order)

    def entries(self, at: int) -> dict[int, int]:
        """Return where the value of each entry of a folder stands, by its tag."""
        count = min(self.number(at, 2), MAX_ENTRIES)
        places = [at + 2 + ENTRY_BYTES * one for one in range(count)]
        return {self.number(place, 2): place + VALUE_AT for place in places}

    def text(self, value: int | None) -> str:
        """Return the text whose entry has its value at a place."""
        if value is None:
            return ""
        size = min(self.number(value - 4, 4), MAX_TEXT)
        at = value if size <= IN_PLACE else self.number(value, 4)
        return self.note[at : at + size].decode("ascii", "replace").strip("\0 ")
