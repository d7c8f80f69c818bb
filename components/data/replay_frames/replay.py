"""Send held-out photographs of a snapshot again, mirrored, as if a camera took them now.

A mirrored photograph is a new frame with the same distribution. It tests drift detection
without live cameras. Boxes and splits are not sent.
"""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.errors import UserError
from components.shared.contracts.progress import follow
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.store.frames import Frame, FrameSender
from components.shared.store.snapshots import SnapshotReader
from components.shared.vision.jpeg import decode_jpeg, encode_jpeg
from components.shared.vision.weather import night, rain

Condition = Literal["same", "night", "rain", "night-rain"]
Pixels = NDArray[np.uint8]

QUALITY = 90
WEATHER: dict[Condition, tuple[Callable[[Pixels, np.random.Generator], Pixels], ...]] = {
    "same": (),
    "night": (night,),
    "rain": (rain,),
    "night-rain": (night, rain),
}


def replay(
    reader: SnapshotReader, sender: FrameSender, *, condition: str, frames: int, seed: int
) -> int:
    """Send held-out photographs of a snapshot as if a camera took them now.

    Args:
        reader: The snapshot.
        sender: Of the snapshot's dataset.
        condition: `same`, `night`, `rain` or `night-rain`.
        frames: How many; fewer if the snapshot holds out fewer.
        seed: Decides which, and how it rains.

    Returns:
        How many were sent.

    Raises:
        UserError: If the condition is unknown or nothing is held out.
    """
    known = next((name for name in get_args(Condition) if name == condition), None)
    if known is None:
        raise UserError(f"condition is {condition!r}, expected {', '.join(get_args(Condition))}")
    chosen = choose(reader, frames, seed)
    progress = follow(len(chosen), "frames", 2.0)
    for number, image in enumerate(chosen):
        rng = np.random.default_rng([seed, number])
        picture = as_live_frame(decode_jpeg(reader.read(image.sha256)), known, rng)
        sender.send(_frame(image, picture, known, seed, number))
        progress(number + 1)
    return len(chosen)


def choose(reader: SnapshotReader, frames: int, seed: int) -> list[SnapshotImage]:
    """Return distinct held-out images in an order that the seed decides.

    Args:
        reader: The snapshot.
        frames: Number of images.
        seed: Decides images and order.

    Raises:
        UserError: If the snapshot holds nothing out.
    """
    held_out = [*reader.images("validation"), *reader.images("test")]
    if not held_out:
        raise UserError(f"snapshot {reader.info.id[:12]} has no held-out images, expected some")
    order = np.random.default_rng(seed).permutation(len(held_out))
    return [held_out[place] for place in order[:frames].tolist()]


def as_live_frame(picture: Pixels, condition: Condition, rng: np.random.Generator) -> Pixels:
    """Return a photograph `[H, W, 3]` mirrored, and with simulated weather.

    Args:
        picture: RGB, 0 to 255.
        condition: Weather and time of day to simulate.
        rng: Random numbers of the weather.
    """
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    for fall in WEATHER[condition]:
        mirrored = fall(mirrored, rng)
    return mirrored


def _frame(
    image: SnapshotImage, picture: Pixels, condition: Condition, seed: int, number: int
) -> Frame:
    """Describe a replayed frame; its time is made up, a day later for each seed."""
    moment = image.captured_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moment += timedelta(days=seed + 1, seconds=number)
    return Frame(
        jpeg=encode_jpeg(picture, QUALITY),
        width=image.width,
        height=image.height,
        camera=image.camera,
        captured_at=moment,
        source_name=f"replay-{condition}-{seed}-{number:04d}.jpg",
        group=f"replay/{image.group}",
    )
