"""Open a verified package in ONNX Runtime, and detect objects in an image."""

from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import (
    BOXES,
    EMBEDDING,
    FOUND,
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    INPUT,
    SCORES,
    PackageError,
    PackageInfo,
    PackageLayout,
)
from components.shared.inference.graph import check_graph
from components.shared.inference.picture import Floats, Picture, Raw, find, letterbox_of
from components.shared.vision.jpeg import decode_jpeg
from components.shared.vision.letterbox import network_input


class Detector:
    """One opened package, made by `open`; several threads may call it at once.

    Args:
        info: Description of the package.
        session: ONNX Runtime session of its graph.
    """

    def __init__(self, info: PackageInfo, session: ort.InferenceSession) -> None:
        self.info = info
        self.digest = info.digest
        self._session = session

    @classmethod
    def open(cls, folder: str | Path, threads: int = 1) -> Self:
        """Verify and open a package.

        Args:
            folder: A `PackageLayout`.
            threads: Threads of one inference. A server takes one, and runs as many inferences in
                parallel as there are cores.

        Raises:
            PackageError: If a byte differs, the graph uses other files or operators, or its inputs
                and outputs are not those of the description.
        """
        layout = PackageLayout(folder)
        info = layout.verify()
        content = layout.model.read_bytes()
        name = f"model {info.digest[:12]}"
        if sha256(content).hexdigest() != info.files.get(layout.model.name):
            raise PackageError(f"{name}: {layout.model.name} changed while it was opened")
        check_graph(content, name)
        session = ort.InferenceSession(content, _options(threads), ["CPUExecutionProvider"])
        session._model_bytes = b""  # the session would keep the file in memory
        _check_edges(session, info, name)
        return cls(info, session)

    def detect(self, image: Picture, score_threshold: float | None = None) -> tuple[ScoredBox, ...]:
        """Detect objects in an image.

        Args:
            image: `[H, W, 3]`, RGB, 0 to 255.
            score_threshold: Minimum score, 0 to 1; None for that of the package.

        Returns:
            Boxes in pixels of the image, highest score first.
        """
        return find(self.info, image, self.raw, score_threshold)

    def detect_jpeg(
        self, jpeg: bytes, score_threshold: float | None = None
    ) -> tuple[ScoredBox, ...]:
        """Detect objects in a JPEG, as `detect` does.

        Args:
            jpeg: The file.
            score_threshold: Minimum score, 0 to 1; None for that of the package.
        """
        return self.detect(decode_jpeg(jpeg), score_threshold)

    def embed(self, image: Picture) -> Floats:
        """Return the embedding of an image, `[features]`."""
        inputs = network_input(letterbox_of(self.info, image).apply(image)[None])
        features: Floats = self.raw(inputs).embedding[0]
        return features

    def tensors(self, images: Floats) -> dict[str, NDArray[np.generic]]:
        """Return all outputs of the graph by name, for inputs as `raw` takes them."""
        names = list(self.outputs)
        return dict(zip(names, self._session.run(names, {INPUT: images}), strict=True))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs: raw ones, and those after suppression if the graph has it."""
        inside = self.info.suppression == "inside"
        return (BOXES, SCORES, EMBEDDING, *(FOUND if inside else ()))

    def raw(self, images: Floats) -> Raw:
        """Run the network on inputs `[n, 3, h, w]`, 0 to 1."""
        return Raw(*self._session.run([BOXES, SCORES, EMBEDDING], {INPUT: images}))


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Planning memory in advance is not faster here, and takes 7 MB.
    options.enable_mem_pattern = False
    # Spinning threads of several sessions would take the cores from each other.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _check_edges(session: ort.InferenceSession, info: PackageInfo, name: str) -> None:
    size = [3, info.preprocessing.image_height, info.preprocessing.image_width]
    inputs = {edge.name: edge for edge in session.get_inputs()}
    outputs = {edge.name: edge for edge in session.get_outputs()}
    shapes: dict[str, list[int | None]] = {
        BOXES: [None, None, 4],
        SCORES: [None, None, len(info.classes)],
        EMBEDDING: [None, None],
    }
    if info.suppression == "inside":
        shapes |= {
            FOUND_BOXES: [None, None, 4],
            FOUND_SCORES: [None, None],
            FOUND_CLASSES: [None, None],
        }
    if set(inputs) != {INPUT} or not set(shapes) <= set(outputs):
        raise PackageError(
            f"{name}: takes {sorted(inputs)} and gives {sorted(outputs)}, expected "
            f"{[INPUT]} and {list(shapes)}"
        )
    _check_shape(inputs[INPUT], [None, *size], name)
    for output, shape in shapes.items():
        _check_shape(outputs[output], shape, name)


def _check_shape(edge: ort.NodeArg, expected: list[int | None], name: str) -> None:
    """Check type and shape of an input or output; None stands for any length."""
    fits = len(edge.shape) == len(expected) and all(
        want is None or have == want for have, want in zip(edge.shape, expected, strict=True)
    )
    kind, type_name = ("int64", "int64") if edge.name == FOUND_CLASSES else ("float", "float32")
    if edge.type != f"tensor({kind})" or not fits:
        raise PackageError(
            f"{name}: {edge.name} is {edge.type} {edge.shape}, expected {type_name} "
            f"{[want or 'any' for want in expected]}"
        )
