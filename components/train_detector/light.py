"""The same scene in the light of another hour, weather or camera."""

from dataclasses import dataclass
from typing import Self

from PIL import Image

from components.train_detector.views import Rng, factor

LIGHTS = ((0.4, 1.5), (0.6, 1.4), *((0.92, 1.08),) * 3)  # saturation, brightness, three tints
CONTRAST = (0.75, 1.33)
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue


@dataclass(frozen=True, slots=True)
class Light:
    """How a picture is lit.

    Attributes:
        saturation: 0 is grey, 1 is as it was taken.
        contrast: 0 is mid-grey all over, 1 is as it was taken.
        gains: Of red, green and blue.
    """

    saturation: float
    contrast: float
    gains: tuple[float, float, float]

    @classmethod
    def drawn(cls, rng: Rng) -> Self:
        """Return some light of a day."""
        saturation, brightness, *tints = (
            low + share * (high - low)
            for (low, high), share in zip(LIGHTS, rng.random(len(LIGHTS)).tolist(), strict=True)
        )
        red, green, blue = (brightness * tint for tint in tints)
        return cls(saturation, factor(CONTRAST, rng), (red, green, blue))

    def fall(self, image: Image.Image) -> Image.Image:
        """Return an RGB image in this light.

        Source:
            ITU-T T.871: the grey that a colour fades to.
        """
        rows: list[float] = []
        for channel, gain in enumerate(self.gains):
            slope = gain * self.contrast
            row = [slope * (1 - self.saturation) * share for share in LUMA]
            row[channel] += slope * self.saturation
            rows += (*row, 128 * (gain - slope))
        return image.convert("RGB", tuple(rows))
