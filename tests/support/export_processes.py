"""Exports in a process of its own: `python -m tests.support.export_processes`."""

import sys
from pathlib import Path

import numpy as np

from components.shared.contracts.model import (
    Lineage,
    PackageLayout,
    TrainedInfo,
    TrainedLayout,
)
from components.training.export_onnx.export import export
from components.training.export_onnx.package import Form
from components.training.export_onnx.pictures import ExportImages, LabelledImage
from tests.support.tiny_packages import jpeg_of, scene

SHA = "0" * 64
INFO = TrainedInfo(
    lineage=Lineage(
        dataset="toys", snapshot=SHA, code=SHA, settings={}, seed=0, start="scratch",
        fingerprint=SHA,
    ),
    classes=("car",), image_width=64, image_height=64, size="pico", best_epoch=1,
    validation_map50=0.5,
)  # fmt: skip
SOME = [
    LabelledImage(
        jpeg_of(scene({(n % 4, n // 4): n % 3})), np.array([[0, 0, 16, 16.0]]), np.zeros(1, int)
    )
    for n in range(6)
]
# One box of which is where an untrained network has one: what it finds has a precision, if small.
JUDGED = [SOME[0]._replace(boxes=np.array([[3.5, 3.5, 36.5, 36.5]])), *SOME[1:]]


def main(trained: str, package: str) -> None:
    """Export a network in 8 bits, with suppression inside, and print what it became."""
    from components.shared.network.decode import serving_function
    from components.shared.network.restore import restore

    form = Form("int8", "inside")
    serve = serving_function(restore(trained))
    info = TrainedInfo.read(TrainedLayout(trained).info)
    exported = export(serve, info, ExportImages(SOME, JUDGED, SOME), Path(package), form)
    print(exported.digest, PackageLayout(package).verify().precision)


if __name__ == "__main__":
    main(*sys.argv[1:])
