"""Parse the structure of a JPEG without decoding it: size, orientation, scans and end.

The length of every segment is followed as a decoder does it, so that the decoder reads the
same bytes, and the cost of decoding is bounded before it begins.

Source:
    ITU-T T.81, annex B.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from components.shared.contracts.errors import UserError
from components.shared.vision.exif import EXIF, Exif, read_exif

Reason = Literal["not_a_jpeg", "too_large", "undecodable"]

START, END, SCAN, COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))  # TEM, RST0 to RST7 and SOI
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
APPLICATION = range(0xE0, 0xF0)
# Which colours a file has is told by these two alone; a decoder needs no other application data.
COLOURS = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}
# Inside a scan 0xFF is followed by 0, a restart marker or another 0xFF, which fills.
AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
ENDS_SCAN = np.ones(256, bool)
ENDS_SCAN[[0x00, *range(0xD0, 0xD8), 0xFF]] = False
SOON_BYTES = 2**20  # searched at once; beyond, numpy is quicker where an attacker wants it slow
FILLED = re.compile(rb"\xff+")

MAX_SEGMENTS = 1_000  # a profile of colours takes 255 at most
MAX_FILL_BYTES = 1_000
MAX_SCANS = 100  # a progressive file has about ten
MAX_COMPONENTS, MAX_SAMPLING = 4, 4
# A scan costs a pass over the pixels of its components: a progressive picture of 30 million
# pixels has 250 million such passes, about 0.8 s of one core.
MAX_PASSES = 250_000_000
BLOCK_BITS = 64 * 8  # pixels of eight blocks: each block takes at least one bit
MAX_BYTES = 12  # of one scan for each pixel: 3 numbers of 26 bits at most, some of them stuffed


class JpegError(UserError):
    """Bytes are no supported JPEG; `reason` is a code that can be counted."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Structure:
    """Parsed structure of a JPEG.

    Attributes:
        width: Of the stored picture, pixels, at least 1.
        height: Of the stored picture, pixels, at least 1.
        exif: EXIF metadata.
        passes: Pixels that all scans pass over.
        image: The file as a decoder needs it, from its start to its end marker: without notes
            and profiles, and without what a phone or a transfer put behind its end.
    """

    width: int
    height: int
    exif: Exif
    passes: float
    image: bytes

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the upright image, in pixels."""
        size = (self.width, self.height)
        return size[::-1] if self.exif.swaps_sides else size


class _Segment(NamedTuple):
    marker: int
    start: int
    body: int
    stop: int


class _Frame(NamedTuple):
    width: int
    height: int
    shares: dict[int, float]  # of its pixels that each component has, by its id


def read_structure(content: bytes, max_pixels: int) -> Structure:
    """Parse the structure of a whole file.

    Args:
        content: The file. What follows its end marker is no part of it.
        max_pixels: The most that width times height may be.

    Raises:
        JpegError: `not_a_jpeg` if it has not exactly one frame, which comes before its scans;
            `too_large`; `undecodable` if it is truncated or would cost more than its size allows.
    """
    segments = list(_segments(content))
    frame = _frame(content, segments)
    if frame.width * frame.height > max_pixels:
        size = f"{frame.width} x {frame.height}"
        raise JpegError("too_large", f"the frame is {size}, expected at most {max_pixels:,} pixels")
    scans = [segment for segment in segments if segment.marker == SCAN]
    passes = _passes(content, frame, scans)
    _check_bytes(frame, segments[-1].stop - scans[0].start)
    image = b"".join(content[one.start : one.stop] for one in segments if _is_needed(content, one))
    return Structure(frame.width, frame.height, _exif(content, segments), passes, image)


def _segments(content: bytes) -> Iterator[_Segment]:
    """Yield each segment up to the end marker; that of a scan holds the coded pixels too."""
    if content[:3] != b"\xff\xd8\xff":
        raise JpegError("not_a_jpeg", f"begins with {content[:3].hex(' ')!r}, expected 'ff d8 ff'")
    yield _Segment(START, 0, 2, 2)
    at, filled, pixels, scanned = 2, 0, 0, False
    for _ in range(MAX_SEGMENTS):
        fill = FILLED.match(content, at, at + MAX_FILL_BYTES + 1)
        if not fill or fill.end() >= len(content):
            raise _truncated() if scanned else JpegError("not_a_jpeg", f"no marker at byte {at:,}")
        filled += fill.end() - at - 1
        marker, body = content[fill.end()], fill.end() + 1
        if filled > MAX_FILL_BYTES:
            raise JpegError("not_a_jpeg", f"more than {MAX_FILL_BYTES:,} fill bytes")
        if marker == END:
            yield _Segment(END, body - 2, body, body)
            return
        if marker in WITHOUT_LENGTH or not marker:
            raise JpegError("not_a_jpeg", f"marker ff {marker:02x} stands at byte {at:,}")
        stop = body + max(2, _number(content, body))
        if marker in FRAMES:
            pixels = _number(content, body + 3) * _number(content, body + 5)
        if marker == SCAN:
            stop, scanned = _end_of_scan(content, stop, pixels), True
        yield _Segment(marker, body - 2, body, stop)
        at = stop
    raise JpegError("not_a_jpeg", f"more than {MAX_SEGMENTS:,} segments")


def _end_of_scan(content: bytes, at: int, pixels: int) -> int:
    limit = min(at + 1_000 + MAX_BYTES * pixels, len(content))
    soon = min(at + SOON_BYTES, limit)
    if found := AFTER_SCAN.search(content, at, soon):
        return found.start()
    for begin in range(soon - 1, limit, SOON_BYTES):
        part = np.frombuffer(content, np.uint8, min(SOON_BYTES + 1, limit - begin), begin)
        ends = (part[:-1] == 0xFF) & ENDS_SCAN[part[1:]]
        if ends.any():
            return begin + int(ends.argmax())
    if limit < len(content):
        raise JpegError(
            "undecodable", f"a scan of {pixels:,} pixels has more than {limit - at:,} bytes"
        )
    raise _truncated()


def _truncated() -> JpegError:
    return JpegError("undecodable", "the file is truncated: its end marker is missing")


def _frame(content: bytes, segments: list[_Segment]) -> _Frame:
    frames = [one for one in segments if one.marker in FRAMES]
    if len(frames) != 1:
        raise JpegError("not_a_jpeg", f"found {len(frames)} frame headers, expected one")
    scans = [one for one in segments if one.marker == SCAN]
    if not scans or scans[0].start < frames[0].start:
        raise JpegError("not_a_jpeg", "there is no scan after the frame header")
    at = frames[0].body
    height, width = _number(content, at + 3), _number(content, at + 5)
    if not width * height:
        raise JpegError("not_a_jpeg", f"the frame is {width} x {height}, expected some pixels")
    return _Frame(width, height, _shares(content[at + 7 : frames[0].stop]))


def _shares(described: bytes) -> dict[int, float]:
    count = described[0] if described else 0
    components = [described[1 + 3 * one : 4 + 3 * one] for one in range(count)]
    if not 1 <= count <= MAX_COMPONENTS or len(described) != 1 + 3 * count:
        raise JpegError("not_a_jpeg", f"the frame has {count} components in {len(described)} bytes")
    sampled = [divmod(component[1], 16) for component in components]
    if not all(1 <= factor <= MAX_SAMPLING for pair in sampled for factor in pair):
        raise JpegError("not_a_jpeg", "a component is sampled by a factor outside 1 to 4")
    most = max(across for across, _ in sampled) * max(down for _, down in sampled)
    return {
        component[0]: across * down / most
        for component, (across, down) in zip(components, sampled, strict=True)
    }


def _passes(content: bytes, frame: _Frame, scans: list[_Segment]) -> float:
    if len(scans) > MAX_SCANS:
        raise JpegError("undecodable", f"{len(scans)} scans, expected at most {MAX_SCANS}")
    passes = 0.0
    for scan in scans:
        named = content[scan.body + 3 : scan.body + 3 + 2 * content[scan.body + 2] : 2]
        if not named or not set(named) <= frame.shares.keys():
            raise JpegError("undecodable", "a scan names a component that the frame has not")
        passes += frame.width * frame.height * sum(frame.shares[name] for name in named)
    if len(scans) > 1 and passes > MAX_PASSES:
        size = f"{len(scans)} scans of {frame.width} x {frame.height} pixels"
        raise JpegError("too_large", f"{size}, expected at most {MAX_PASSES:,} in all")
    return passes


def _check_bytes(frame: _Frame, coded: int) -> None:
    least = frame.width * frame.height // BLOCK_BITS
    if coded < least:
        size = f"{coded:,} bytes for {frame.width} x {frame.height} pixels"
        raise JpegError("undecodable", f"{size}, of which {least:,} are the least that they need")


def _is_needed(content: bytes, segment: _Segment) -> bool:
    if segment.marker in APPLICATION:
        name = COLOURS.get(segment.marker)
        return name is not None and content.startswith(name, segment.body + 2)
    return segment.marker != COMMENT


def _exif(content: bytes, segments: list[_Segment]) -> Exif:
    for segment in segments:
        if segment.marker == APPLICATION[1] and content.startswith(EXIF, segment.body + 2):
            return read_exif(content[segment.body + 2 + len(EXIF) : segment.stop])
    return Exif()


def _number(content: bytes, at: int) -> int:
    if at + 2 > len(content):
        raise JpegError("not_a_jpeg", "the file ends inside its headers")
    return int.from_bytes(content[at : at + 2], "big")
