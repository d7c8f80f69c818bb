"""Random color jitter: parameters are drawn on the host and applied on the device."""

from dataclasses import dataclass
from typing import Self

import tensorflow as tf

from components.shared.network.tensors import Images, Tensor
from components.shared.vision.jpeg import LUMA
from components.training.train_detector.data.crops import Rng, log_uniform

JITTER_RANGES = (
    (0.4, 1.5),
    (0.6, 1.4),
    *((0.92, 1.08),) * 3,
)  # saturation, brightness, three tints
CONTRAST = (0.75, 1.33)
GREY = 128.0  # what contrast moves away from
NUMBERS = 7  # of a light


@dataclass(frozen=True, slots=True)
class ColorJitter:
    """Parameters of the color jitter of one image.

    Attributes:
        saturation: 0 is grey, 1 is as it was taken.
        contrast: 0 is mid-grey all over, 1 is as it was taken.
        gains: Of red, green and blue.
    """

    saturation: float
    contrast: float
    gains: tuple[float, float, float]

    @classmethod
    def sample(cls, rng: Rng) -> Self:
        """Draw random parameters."""
        saturation, brightness, *tints = (
            low + share * (high - low)
            for (low, high), share in zip(
                JITTER_RANGES, rng.random(len(JITTER_RANGES)).tolist(), strict=True
            )
        )
        red, green, blue = (brightness * tint for tint in tints)
        return cls(saturation, log_uniform(CONTRAST, rng), (red, green, blue))

    @property
    def numbers(self) -> tuple[float, ...]:
        """The `NUMBERS` parameters: saturation, then slope and then offset of each channel."""
        slopes = [gain * self.contrast for gain in self.gains]
        offsets = [GREY * (gain - slope) for gain, slope in zip(self.gains, slopes, strict=True)]
        return (self.saturation, *slopes, *offsets)

    def padding_color(self, level: float) -> tuple[int, ...]:
        """Return the color that becomes a given grey level after this jitter.

        Args:
            level: 0 to 255.

        Returns:
            Red, green and blue, as near as whole levels are.
        """
        _, *line = self.numbers
        faded = [(level - offset) / slope for slope, offset in zip(line[:3], line[3:], strict=True)]
        # Fading moves colours towards their grey, and leaves that grey as it is.
        grey = sum(share * one for share, one in zip(LUMA, faded, strict=True))
        colour = ((one - (1 - self.saturation) * grey) / self.saturation for one in faded)
        return tuple(min(max(round(one), 0), 255) for one in colour)


AS_TAKEN = ColorJitter(saturation=1, contrast=1, gains=(1, 1, 1))


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def apply_color_jitter(images: Images, jitters: Tensor) -> Images:
    """Apply color jitter to a batch of images; compiled to one pass.

    Args:
        images: uint8 `[B, h, w, 3]`, RGB.
        jitters: float32 `[B, NUMBERS]`.

    Returns:
        float32 `[B, h, w, 3]`, from 0 to 1.
    """
    colours = tf.cast(images, tf.float32)
    red, green, blue = (colours[..., at : at + 1] * share for at, share in enumerate(LUMA))
    greys, numbers = red + green + blue, jitters[:, tf.newaxis, tf.newaxis]
    saturation, slopes, offsets = numbers[..., :1], numbers[..., 1:4], numbers[..., 4:]
    seen = (colours * saturation + greys * (1 - saturation)) * slopes + offsets
    return tf.clip_by_value(seen / 255, 0.0, 1.0)
