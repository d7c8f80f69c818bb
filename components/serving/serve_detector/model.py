"""KServe model of one package: name, input and output types."""

from typing import Any

from kserve import Model

from components.serving.serve_detector.tensors import Size, datatype
from components.shared.contracts.model import (
    BOXES,
    EMBEDDING,
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    INPUT,
    SCORES,
)
from components.shared.inference.detector import Detector


class DatasetModel(Model):  # type: ignore[misc]
    """KServe model of one opened package, named like its dataset; it is ready at once.

    Args:
        dataset: Name of the model.
        detector: The opened package.
    """

    def __init__(self, dataset: str, detector: Detector) -> None:
        super().__init__(dataset)
        self.detector = detector
        self.ready = True

    def get_input_types(self) -> list[dict[str, Any]]:
        """Return the inputs as metadata of the protocol."""
        return [_described(INPUT, [-1, *self.size])]

    def get_output_types(self) -> list[dict[str, Any]]:
        """Return the outputs as metadata of the protocol."""
        shapes = {
            BOXES: [-1, -1, 4],
            SCORES: [-1, -1, len(self.detector.info.classes)],
            EMBEDDING: [-1, -1],
            FOUND_BOXES: [-1, -1, 4],
            FOUND_SCORES: [-1, -1],
            FOUND_CLASSES: [-1, -1],
        }
        return [_described(name, shapes[name]) for name in self.detector.outputs]

    @property
    def size(self) -> Size:
        """Size of the input: channels, height, width."""
        target = self.detector.info.preprocessing
        return 3, target.image_height, target.image_width


def _described(name: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype(name), "shape": shape}
