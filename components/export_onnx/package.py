"""A package is sealed: whoever opens it can tell that not one byte differs."""

from collections.abc import Mapping

from components.contracts.annotation import ScoredBox
from components.contracts.model import (
    BOXES,
    EMBEDDING,
    INPUT,
    SCORES,
    GoldenAnswer,
    PackageInfo,
    PackageLayout,
    Postprocessing,
    Preprocessing,
    TrainedInfo,
    file_digest,
)
from components.contracts.record import write_lines
from components.inference.detector import Detector
from components.store.objects import digest_bytes

TRITON = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: 8
input [
  {{ name: "{input}", data_type: TYPE_FP32, dims: [ 3, {height}, {width} ] }}
]
output [
  {{ name: "{boxes}", data_type: TYPE_FP32, dims: [ -1, 4 ] }},
  {{ name: "{scores}", data_type: TYPE_FP32, dims: [ -1, {classes} ] }},
  {{ name: "{embedding}", data_type: TYPE_FP32, dims: [ -1 ] }}
]
dynamic_batching {{ max_queue_delay_microseconds: 2000 }}
"""


def write_graph(layout: PackageLayout, trained: TrainedInfo, graph: bytes) -> Detector:
    """Write a package that has no known answers yet, and return it opened."""
    layout.root.mkdir(parents=True, exist_ok=True)
    layout.model.write_bytes(graph)
    layout.triton.write_text(triton_config(trained))
    seal(layout, trained)
    return Detector.open(layout.root)


def write_golden(
    layout: PackageLayout,
    trained: TrainedInfo,
    answers: Mapping[bytes, tuple[ScoredBox, ...]],
) -> PackageInfo:
    """Add known pictures and their answers to a package, and seal it again.

    Args:
        layout: The package.
        trained: What it was made of.
        answers: JPEGs and what the package answers about each.
    """
    golden = []
    for jpeg, boxes in answers.items():
        file = layout.root / "golden" / f"{digest_bytes(jpeg)[:12]}.jpg"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(jpeg)
        golden.append(GoldenAnswer(file=f"golden/{file.name}", boxes=boxes))
    write_lines(golden, layout.golden)
    return seal(layout, trained)


def seal(layout: PackageLayout, trained: TrainedInfo) -> PackageInfo:
    """Write the package's description over the files that are there."""
    files = sorted(file for file in layout.root.rglob("*") if file.is_file())
    info = PackageInfo(
        dataset=trained.lineage.dataset,
        classes=trained.classes,
        preprocessing=Preprocessing(
            image_width=trained.image_width, image_height=trained.image_height
        ),
        postprocessing=Postprocessing(),
        lineage=trained.lineage,
        files={
            str(file.relative_to(layout.root)): file_digest(file)
            for file in files
            if file != layout.info
        },
    )
    info.write(layout.info)
    return info


def triton_config(trained: TrainedInfo) -> str:
    """Return how Triton serves the graph: its ONNX backend, batching what comes together."""
    return TRITON.format(
        name=trained.lineage.dataset, input=INPUT, boxes=BOXES, scores=SCORES,
        embedding=EMBEDDING, height=trained.image_height, width=trained.image_width,
        classes=len(trained.classes),
    )  # fmt: skip
