"""Write a model package: graph, description with digests, golden answers, Triton configuration.

The digests of all files make any later change detectable.
"""

from collections.abc import Mapping
from typing import NamedTuple, cast, get_args

import onnx

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import (
    GoldenAnswer,
    PackageInfo,
    PackageLayout,
    Postprocessing,
    Precision,
    Preprocessing,
    Suppression,
    TrainedInfo,
    file_digest,
)
from components.shared.contracts.record import write_lines
from components.shared.inference.detector import Detector
from components.shared.store.objects import digest_bytes
from components.training.export_onnx.onnx_nms import with_suppression

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


TRITON_TYPES: dict[int, str] = {
    onnx.TensorProto.FLOAT: "TYPE_FP32",
    onnx.TensorProto.INT64: "TYPE_INT64",
}


class Form(NamedTuple):
    """Form of a package: precision of its convolutions (float32 or int8), and place of the NMS."""

    precision: Precision = "float32"
    suppression: Suppression = "outside"


FLOAT32 = Form()


def form_of(precision: str, suppression: str) -> Form:
    """Return the form with a name, or refuse an unknown name.

    Args:
        precision: `float32` or `int8`.
        suppression: `outside` or `inside` of the graph.

    >>> form_of("int4", "outside")
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: precision is 'int4', expected float32 or int8
    """
    for name, word, known in (
        ("precision", precision, get_args(Precision)),
        ("suppression", suppression, get_args(Suppression)),
    ):
        if word not in known:
            raise UserError(f"{name} is {word!r}, expected {' or '.join(known)}")
    return Form(cast("Precision", precision), cast("Suppression", suppression))


def write_graph(
    layout: PackageLayout, trained: TrainedInfo, graph: bytes, form: Form = FLOAT32
) -> Detector:
    """Write a package without golden answers, and return it opened.

    Args:
        layout: The package; its graph is replaced.
        trained: Description of the trained model.
        graph: Without suppression.
        form: What the package says of the graph; suppression is added here.
    """
    if form.suppression == "inside":
        graph = with_suppression(graph, Postprocessing())
    layout.root.mkdir(parents=True, exist_ok=True)
    layout.model.write_bytes(graph)
    layout.triton.write_text(triton_config(trained.lineage.dataset, graph))
    seal(layout, trained, form)
    return Detector.open(layout.root)


def write_golden(
    layout: PackageLayout,
    trained: TrainedInfo,
    answers: Mapping[bytes, tuple[ScoredBox, ...]],
    form: Form = FLOAT32,
) -> PackageInfo:
    """Add golden images and their answers to a package, and seal it again.

    Args:
        layout: The package.
        trained: Description of the trained model.
        answers: JPEGs and what the package answers about each.
        form: Precision and suppression of the graph.
    """
    golden = []
    for jpeg, boxes in answers.items():
        file = layout.golden_images / f"{digest_bytes(jpeg)[:12]}.jpg"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(jpeg)
        golden.append(GoldenAnswer(file=str(file.relative_to(layout.root)), boxes=boxes))
    write_lines(golden, layout.golden)
    return seal(layout, trained, form)


def seal(layout: PackageLayout, trained: TrainedInfo, form: Form) -> PackageInfo:
    """Write the description of a package with the digests of its files.

    Args:
        layout: Files of the package.
        trained: Description of the trained model.
        form: Precision and suppression of the graph.
    """
    files = sorted(file for file in layout.root.rglob("*") if file.is_file())
    info = PackageInfo(
        dataset=trained.lineage.dataset,
        classes=trained.classes,
        preprocessing=Preprocessing(
            image_width=trained.image_width, image_height=trained.image_height
        ),
        postprocessing=Postprocessing(),
        precision=form.precision,
        suppression=form.suppression,
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
    """Return the Triton configuration of a graph: ONNX backend, dynamic batching.

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
    kind = TRITON_TYPES[edge.type.tensor_type.elem_type]
    return f'{{ name: "{edge.name}", data_type: {kind}, dims: [ {dims} ] }}'
