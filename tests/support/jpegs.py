"""JPEGs as attackers and transfers make them: what their headers claim is not what they hold."""

import io
import struct
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from components.shared.vision.jpeg import encode_jpeg

GREY = np.add.outer(np.arange(48) * 2, np.arange(64) * 2)
PICTURE = np.stack([GREY, GREY + 20, GREY + 30], axis=2).astype(np.uint8)
JPEG = encode_jpeg(PICTURE)
END = b"\xff\xd9"
LARGE = 7071  # pixels of each side, just below the limit of 50 million
MARKERS = (0x01, 0xC0, 0xC2, 0xC4, 0xD0, 0xD7, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE0, 0xE1, 0xEE, 0xFE)


def saved(**options: Any) -> bytes:
    """Encode the picture; options are those of Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment with its length."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def with_segments(*segments: bytes) -> bytes:
    """Return the JPEG with segments before its own."""
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def resized(content: bytes, width: int, height: int) -> bytes:
    """Let the frame header claim another size."""
    at = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2")) + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def scans_of(content: bytes) -> list[bytes]:
    """Return the scans of a file with their headers."""
    parts = content[:-2].split(b"\xff\xda")[1:]
    return [b"\xff\xda" + part for part in parts]


def many_scans(count: int) -> bytes:
    """Return a large progressive file whose last scan is repeated."""
    progressive = saved(progressive=True)
    last = scans_of(progressive)[-1]
    return resized(progressive[:-2], LARGE, LARGE) + last * count + END


_hidden = segment(0xFE, resized(JPEG, 20_000, 20_000)[2:-2])
BOMBS = {
    "a size that only a decoder sees": (JPEG[:2] + b"\xff\xd0" + _hidden + JPEG[2:], "not_a_jpeg"),
    "99 scans of 50 million pixels": (many_scans(80), "too_large"),
    "some bytes for 50 million pixels": (resized(JPEG, LARGE, LARGE), "undecodable"),
    "9.9 MB of empty comments": (with_segments(segment(0xFE, b"") * 2_475_000), "not_a_jpeg"),
    "9.9 MB of fill bytes": (JPEG[:2] + b"\xff" * 9_900_000 + JPEG[2:], "not_a_jpeg"),
    "9.9 MB of stuffed bytes": (JPEG[:-2] + b"\xff\x00" * 4_950_000, "undecodable"),
    "9.9 MB of fill bytes in a scan": (JPEG[:-2] + b"\xff" * 9_900_000, "undecodable"),
    "9.9 MB of scans": (JPEG[:-2] + scans_of(JPEG)[0] * 8_000, "not_a_jpeg"),
    "60,000 x 60,000": (resized(JPEG, 60_000, 60_000), "too_large"),
}


def mutated(content: bytes, random: Random) -> bytes:
    """Return a file with one to four faults: bytes changed, lost, doubled, inserted or cut off."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed))
        end = at + random.randint(1, 40)
        match random.randrange(5):
            case 0:
                changed[at] = random.randrange(256)
            case 1:
                del changed[at:end]
            case 2:
                changed[at:at] = changed[at:end]
            case 3:
                changed[at:at] = bytes((0xFF, random.choice(MARKERS)))
            case _:
                del changed[max(at, 4) :]
        changed = changed or bytearray(b"\xff")
    return bytes(changed)


def bombs(random: Random) -> Iterator[bytes]:
    """Yield files without end that claim much and hold little, of every kind above."""
    kinds = [bomb for bomb, _ in BOMBS.values()]
    while True:
        for bomb in kinds:
            yield bomb
            width, height = random.randint(1, 65_535), random.randint(1, 65_535)
            yield resized(bomb, width, height)
