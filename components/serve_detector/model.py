"""One package as KServe sees it: named tensors in, named tensors out."""

from typing import Any

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model  # type: ignore[import-untyped]
from kserve.errors import InvalidInput  # type: ignore[import-untyped]
from kserve.utils.utils import generate_uuid  # type: ignore[import-untyped]

from components.contracts.model import (
    BOXES,
    EMBEDDING,
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    INPUT,
    SCORES,
)
from components.inference.detector import Detector
from components.inference.picture import Floats
from components.serve_detector.pool import Pool

MOST_IMAGES = 16  # of one request


class DatasetModel(Model):  # type: ignore[misc]
    """One opened package under its dataset's name, as KServe wants it.

    Args:
        dataset: The name it answers to.
        detector: The opened package.
        pool: Where inference runs.
    """

    def __init__(self, dataset: str, detector: Detector, pool: Pool) -> None:
        """A model is ready as soon as it exists."""
        super().__init__(dataset)
        self.detector = detector
        self.ready = True
        self._pool = pool

    async def predict(self, payload: Any, headers: Any = None, _: Any = None) -> InferResponse:
        """Answer an Open Inference request with the tensors that the graph gives."""
        images = self._images(payload)
        tensors = await self._pool.run(self.detector.tensors, images)
        outputs = []
        for name, values in tensors.items():
            output = InferOutput(name=name, shape=list(values.shape), datatype=_datatype(name))
            output.set_data_from_numpy(values, binary_data=bool(payload.use_binary_outputs))
            outputs.append(output)
        return InferResponse(
            response_id=payload.id or generate_uuid(),
            model_name=self.name,
            model_version=self.detector.digest,
            infer_outputs=outputs,
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )

    def get_input_types(self) -> list[dict[str, Any]]:
        """Return what goes in, in the protocol's words."""
        return [_described(INPUT, [-1, *self._size])]

    def get_output_types(self) -> list[dict[str, Any]]:
        """Return what comes out, in the protocol's words."""
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
    def _size(self) -> tuple[int, int, int]:
        target = self.detector.info.preprocessing
        return 3, target.image_height, target.image_width

    def _images(self, payload: Any) -> Floats:
        """Return the images of a request, `[n, 3, h, w]`, or refuse it."""
        if not isinstance(payload, InferRequest):
            raise InvalidInput("expected an Open Inference request, version 2")
        given = payload.get_input_by_name(INPUT)
        if given is None or given.datatype != "FP32":
            raise InvalidInput(f"expected one input {INPUT!r} of FP32")
        shape = tuple(given.shape)
        if shape[1:] != self._size or not 1 <= shape[0] <= MOST_IMAGES:
            raise InvalidInput(
                f"{INPUT} is {list(shape)}, expected [1 to {MOST_IMAGES}, "
                f"{', '.join(map(str, self._size))}]"
            )
        return np.asarray(given.as_numpy(), np.float32)


def _described(name: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": _datatype(name), "shape": shape}


def _datatype(name: str) -> str:
    return "INT64" if name == FOUND_CLASSES else "FP32"
