"""A package is sealed: whoever opens it can tell that not one byte differs."""

from collections.abc import Mapping

import onnx

from components.contracts.annotation import ScoredBox
from components.contracts.model import (
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
  {inputs}
]
output [
  {outputs}
]
dynamic_batching {{ max_queue_delay_microseconds: 2000 }}
"""


def write_graph(layout: PackageLayout, trained: TrainedInfo, graph: bytes) -> Detector:
    """Write a package that has no known answers yet, and return it opened."""
    layout.root.mkdir(parents=True, exist_ok=True)
    layout.model.write_bytes(graph)
    layout.triton.write_text(triton_config(trained.lineage.dataset, graph))
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


def triton_config(name: str, graph: bytes) -> str:
    """Return how Triton serves a graph: its ONNX backend, batching what comes together.

    Lengths are the graph's own: Triton refuses a -1 where the graph knows better.

    Args:
        name: Of the model, and of its folder in Triton's repository.
        graph: ONNX; every first dimension is the batch.
    """
    edges = onnx.load_model_from_string(graph).graph
    return TRITON.format(
        name=name,
        inputs=",\n  ".join(map(_triton_edge, edges.input)),
        outputs=",\n  ".join(map(_triton_edge, edges.output)),
    )


def _triton_edge(edge: onnx.ValueInfoProto) -> str:
    _, *lengths = edge.type.tensor_type.shape.dim
    dims = ", ".join(str(length.dim_value or -1) for length in lengths)
    return f'{{ name: "{edge.name}", data_type: TYPE_FP32, dims: [ {dims} ] }}'
