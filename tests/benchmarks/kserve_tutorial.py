"""A detector as KServe's tutorials serve one: a `kserve.Model` that takes base64 JPEGs in JSON.

`python -m tests.benchmarks.kserve_tutorial MODEL PORT SIZE` serves an ONNX file. It decodes with
Pillow, resizes without a letterbox and keeps all boxes above a score, with no suppression: less
than a detector needs.
"""

import base64
import io
import sys
from typing import Any

import numpy as np
import onnxruntime as ort
from kserve import Model, ModelServer
from PIL import Image

MIN_SCORE = 0.25


class Tutorial(Model):
    """One ONNX file behind `/v1/models/toys:predict`."""

    def __init__(self, path: str, size: int) -> None:
        super().__init__("toys")
        self.size = size
        self.session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        return {"predictions": [self._boxes(each["b64"]) for each in payload["instances"]]}

    def _boxes(self, text: str) -> list[list[float]]:
        image = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
        pixels = np.asarray(image.resize((self.size, self.size)), np.float32) / 255
        boxes, scores, *_ = self.session.run(None, {"images": pixels.transpose(2, 0, 1)[None]})
        return boxes[0][scores[0].max(axis=1) > MIN_SCORE].tolist()


if __name__ == "__main__":
    model, port, size = sys.argv[1:]
    ModelServer(http_port=int(port), enable_grpc=False, workers=1).start(
        [Tutorial(model, int(size))]
    )
