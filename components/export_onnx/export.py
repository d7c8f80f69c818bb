"""What is exported answers like what was trained, and proves it wherever it is opened."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.contracts.model import (
    BOXES,
    EMBEDDING,
    SCORES,
    PackageLayout,
    TrainedInfo,
    TrainedLayout,
    absence,
    mark_absent,
)
from components.contracts.refusal import Refusal
from components.export_onnx.package import write_golden, write_graph
from components.export_onnx.parity import Floats, compare
from components.vision.jpeg import decode_jpeg
from components.vision.letterbox import Letterbox, network_input

GOLDEN = 4  # pictures


@dataclass(frozen=True, slots=True)
class Exported:
    """A package's digest ("" if there is none), a page about it and a sentence."""

    digest: str
    page: str
    sentence: str


def export_trained(trained: Path, jpegs: Sequence[bytes], package: Path) -> Exported:
    """Export what training left, or pass on why it left nothing.

    Args:
        trained: A `TrainedLayout`, or absent.
        jpegs: Real pictures that training did not see.
        package: Where the package goes; what is there is replaced.

    Raises:
        Refusal: As `export`.
    """
    shutil.rmtree(package, ignore_errors=True)
    reason = absence(trained)
    if reason is None:
        # TensorFlow takes seconds to import, and is not needed to say that nothing is there.
        from components.detector.decode import serving_function
        from components.detector.restore import restore

        info = TrainedInfo.read(TrainedLayout(trained).info)
        return export(serving_function(restore(trained)), info, jpegs, package)
    mark_absent(package, reason)
    return Exported("", f"Nothing to export: {reason}\n", f"nothing to export: {reason}")


def export(serve: Any, info: TrainedInfo, jpegs: Sequence[bytes], package: Path) -> Exported:
    """Convert a network, compare the two on pictures, and seal the package.

    Args:
        serve: The network as a `tf.function`, see `detector.decode.serving_function`.
        info: What training says of it.
        jpegs: Real pictures that training did not see.
        package: Where the package goes.

    Raises:
        Refusal: If there is no picture, or the exported graph answers otherwise.
    """
    from components.export_onnx.convert import convert

    if not jpegs:
        raise Refusal("the snapshot has no test image to compare the exported graph on")
    layout = PackageLayout(package)
    detector = write_graph(layout, info, convert(serve))
    inputs = _inputs(jpegs, info)
    said = serve(inputs)
    before = (said[BOXES].numpy(), said[SCORES].numpy(), said[EMBEDDING].numpy())
    parity = compare(before, detector.raw(inputs))
    parity.check()
    answers = {jpeg: detector.detect_jpeg(jpeg) for jpeg in jpegs}
    # The pictures with the most to see are the ones that would show a difference.
    telling = sorted(answers, key=lambda jpeg: -len(answers[jpeg]))[:GOLDEN]
    sealed = write_golden(layout, info, {jpeg: answers[jpeg] for jpeg in telling})
    megabytes = layout.model.stat().st_size / 1e6
    return Exported(sealed.digest, parity.page, f"{parity.sentence}; {megabytes:.1f} MB")


def _inputs(jpegs: Sequence[bytes], info: TrainedInfo) -> Floats:
    """Return pictures as the network takes them, `[n, 3, h, w]`, 0 to 1."""
    boxed = []
    for jpeg in jpegs:
        image = decode_jpeg(jpeg)
        height, width = image.shape[:2]
        boxed.append(Letterbox(width, height, info.image_width, info.image_height).apply(image))
    return network_input(np.stack(boxed))
