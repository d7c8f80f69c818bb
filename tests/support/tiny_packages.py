"""A package small enough to be made in a millisecond, and pictures that it understands."""

import io
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import (
    GoldenAnswer,
    Lineage,
    PackageInfo,
    PackageLayout,
    Postprocessing,
    Preprocessing,
    file_digest,
)
from components.shared.contracts.record import write_lines

CELL = 16  # pixels
Shapes = dict[str, list[str | int | None]]


def tiny_graph(classes: int, width: int, height: int, shift: float = 0.0) -> onnx.ModelProto:
    """A network without training: a cell whose red is bright is an object of class 0.

    Class 1 looks at green, class 2 at blue, class 3 at red again. A cell's box is the cell,
    moved right by `shift` pixels; its score is 0 at medium brightness and 1 at full.
    """
    rows, columns = height // CELL, width // CELL
    y, x = np.divmod(np.arange(rows * columns), columns)
    corners = np.stack([x, y, x + 1, y + 1], 1)[None] * CELL + [shift, 0, shift, 0]
    constants = {
        "corners": corners.astype(np.float32),
        "channels": np.arange(classes) % 3,
        "two": np.float32(2),
        "one": np.float32(1),
        "zero": np.float32(0),
        "flat": np.array([0, classes, -1]),
        "last": np.array([2]),
        "space": np.array([2, 3]),
    }
    nodes = [
        helper.make_node(
            "AveragePool", ["images"], ["cells"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]
        ),
        helper.make_node("Gather", ["cells", "channels"], ["chosen"], axis=1),
        helper.make_node("Mul", ["chosen", "two"], ["doubled"]),
        helper.make_node("Sub", ["doubled", "one"], ["centred"]),
        helper.make_node("Relu", ["centred"], ["grid"]),
        helper.make_node("Reshape", ["grid", "flat"], ["by_class"]),
        helper.make_node("Transpose", ["by_class"], ["scores"], perm=[0, 2, 1]),
        helper.make_node("ReduceMax", ["scores", "last"], ["best"], keepdims=1),
        helper.make_node("Mul", ["best", "zero"], ["nothing"]),
        helper.make_node("Add", ["corners", "nothing"], ["boxes"]),
        helper.make_node("ReduceMean", ["images", "space"], ["embedding"], keepdims=0),
    ]
    anchors = rows * columns
    inputs: Shapes = {"images": ["batch", 3, height, width]}
    outputs: Shapes = {
        "boxes": ["batch", anchors, 4],
        "scores": ["batch", anchors, classes],
        "embedding": ["batch", 3],
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def scene(cells: dict[tuple[int, int], int], columns: int = 4, rows: int = 4) -> np.ndarray:
    """A black picture in which some cells (column, row) shine in one channel."""
    image = np.zeros((rows * CELL, columns * CELL, 3), np.uint8)
    for (column, row), channel in cells.items():
        spot = np.s_[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL, channel]
        image[spot] = 250
    return image


def jpeg_of(image: np.ndarray) -> bytes:
    """A JPEG as near to the picture as JPEG goes."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


GOLDEN_CELLS: tuple[dict[tuple[int, int], int], ...] = ({(0, 0): 0, (3, 2): 0}, {(1, 1): 0}, {})


def golden_answers(root: Path, label: str, width: int, height: int, shift: float):
    for number, cells in enumerate(GOLDEN_CELLS):
        name = f"golden/{number:012x}.jpg"
        (root / name).write_bytes(jpeg_of(scene(cells, width // CELL, height // CELL)))
        boxes = tuple(
            ScoredBox(
                x_min=x * CELL + shift, y_min=y * CELL, x_max=min((x + 1) * CELL + shift, width),
                y_max=(y + 1) * CELL, label=label, score=0.96,
            )
            for x, y in cells
        )  # fmt: skip
        yield GoldenAnswer(file=name, boxes=boxes)


def seal(
    layout: PackageLayout, dataset: str, classes, width: int = 64, height: int = 64, **more
) -> None:
    """Write `package.json` for the files that are there."""
    files = {
        str(file.relative_to(layout.root)): file_digest(file)
        for file in sorted(layout.root.rglob("*"))
        if file.is_file() and file != layout.info
    }
    sha = "0" * 64
    PackageInfo(
        dataset=dataset,
        classes=classes,
        preprocessing=Preprocessing(image_width=width, image_height=height),
        postprocessing=Postprocessing(),
        lineage=Lineage(
            dataset=dataset, snapshot=sha, code=sha, settings={}, seed=0, start="scratch",
            fingerprint=sha,
        ),
        files=files,
        **more,
    ).write(layout.info)  # fmt: skip


def make_package(
    root: Path,
    dataset: str = "toys",
    classes: tuple[str, ...] = ("car",),
    width: int = 64,
    height: int = 64,
    shift: float = 0.0,
) -> PackageLayout:
    """Make a package whose network is `tiny_graph`, with three golden pictures.

    Args:
        root: Its folder, which is not there yet.
        dataset: Its dataset.
        classes: Their names.
        width: Of the input, pixels, a multiple of 16.
        height: The same.
        shift: Of boxes, pixels; another shift is another model.
    """
    layout = PackageLayout(root)
    (root / "golden").mkdir(parents=True)
    layout.model.write_bytes(tiny_graph(len(classes), width, height, shift).SerializeToString())
    layout.triton.write_text(f'name: "{dataset}"\n')
    write_lines(golden_answers(root, classes[0], width, height, shift), layout.golden)
    seal(layout, dataset, classes, width, height)
    return layout
