"""What an image costs in the served graph, in 8 bits too, and what the server takes to serve it.

The weights are made up: what a convolution costs does not depend on them. What 8 bits lose is
measured by every export on the snapshot's own validation images, and said on its page.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import psutil
from onnx.utils import Extractor

from components.shared.contracts.model import FOUND, INPUT, PackageLayout, Postprocessing
from components.training.export_onnx.onnx_nms import with_suppression
from components.training.export_onnx.package import Form, write_golden, write_graph
from components.training.export_onnx.quantise import quantise
from tests.benchmarks.table import Row, at_most, interleaved
from tests.benchmarks.yolo_shape import gflops, yolo_shape

SIZE = 320  # pixels
CANDIDATES = 300
MOST_MEGABYTES = 250
MAX_TAIL = 0.02  # of the time of the whole graph
CPU_INFO = Path("/proc/cpuinfo")
HAS_VNNI = CPU_INFO.exists() and "vnni" in CPU_INFO.read_text()
MOST_INT8 = {True: 0.65, False: 0.8}  # of float32; without VNNI a product takes two instructions


def rows() -> Iterator[Row]:
    """Compare our graphs with YOLOv8n's layers and with 8 bits, and weigh the server."""
    graphs = {size: exported(size) for size in ("pico", "nano")}
    yardstick = yolo_shape(SIZE)
    images = np.random.default_rng(0).random((8, 3, SIZE, SIZE), np.float32)
    int8 = quantise(graphs["nano"], (image[None] for image in images))
    contents = (*graphs.values(), int8, yardstick.SerializeToString())
    asked = [ask(content, {INPUT: images[:1]}) for content in contents]
    pico, nano, bits, yolo = (1000 * seconds for seconds in interleaved(*asked, rounds=60))
    operations = [gflops(onnx.load_model_from_string(graph)) for graph in graphs.values()]
    yolo_is = f"YOLOv8n's layers {yolo:.2f} ms, {gflops(yardstick):.2f} GFLOPs"
    what = "ONNX Runtime, {} at 320 px, {}".format
    for size, taken, count in zip(graphs, (pico, nano), operations, strict=True):
        ours = f"{taken:.2f} ms, {count:.2f} GFLOPs"
        yield at_most(what(size, "float32"), ours, yolo_is, taken / yolo, 1.0)
    against = f"float32 {nano:.2f} ms"
    kind = f"int8 {'with' if HAS_VNNI else 'without'} VNNI"
    yield at_most(what("nano", kind), f"{bits:.2f} ms", against, bits / nano, MOST_INT8[HAS_VNNI])
    yield tail(graphs["nano"], nano)
    for precision, graph in (("float32", graphs["nano"]), ("int8", int8)):
        yield server(graph, precision)


def exported(size: str) -> bytes:
    """Return the graph of an untrained network."""
    import keras

    from components.shared.network.decode import serving_function
    from components.shared.network.network import build_network
    from components.training.export_onnx.convert import convert

    keras.utils.set_random_seed(0)
    return convert(serving_function(build_network(size, 1, SIZE, SIZE)))


def session(graph: bytes) -> ort.InferenceSession:
    """Open a graph as the server does, with one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(graph, options, ["CPUExecutionProvider"])


def ask(graph: bytes, values: dict[str, Any]) -> Any:
    """Return a function that runs a graph once."""
    opened = session(graph)
    return lambda: opened.run(None, values)


def tail(graph: bytes, whole_ms: float) -> Row:
    """Time decoding and suppression, cut off from the convolutions before them.

    Args:
        graph: The served graph.
        whole_ms: Its time, without suppression, in the same run.
    """
    model = onnx.load_model_from_string(with_suppression(graph, Postprocessing()))
    model = onnx.shape_inference.infer_shapes(model)
    makers = {output: node for node in model.graph.node for output in node.output}
    bins = next(node for node in model.graph.node if node.op_type == "Softmax").input[0]
    logits = makers["scores"].input[0]
    cut = Extractor(model).extract_model([bins, logits], list(FOUND))
    (seconds,) = interleaved(ask(cut.SerializeToString(), crowd(bins, logits)), rounds=300)
    what = f"decoding and suppression in the graph, {CANDIDATES} candidates"
    milliseconds = 1000 * seconds
    against = f"nano, whole graph {whole_ms:.2f} ms"
    return at_most(what, f"{milliseconds:.3f} ms", against, milliseconds / whole_ms, MAX_TAIL)


def crowd(bins: str, logits: str) -> dict[str, Any]:
    """Return what the network would say of a crowd: patches of nine cells that mean one object."""
    dice, cells = np.random.default_rng(0), SIZE // 8
    anchors = sum((SIZE // stride) ** 2 for stride in (8, 16, 32))
    said = np.full((1, anchors, 1), -6.0, np.float32)
    sides = np.zeros((anchors, 4))
    patches = [(y, x) for y in range(1, cells - 1, 3) for x in range(1, cells - 1, 3)]
    around = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    near = [(y, x, dy, dx) for y, x in dice.permutation(patches) for dy, dx in around]
    for y, x, dy, dx in near[:CANDIDATES]:
        anchor = (y + dy) * cells + x + dx
        said[0, anchor] = dice.uniform(-1, 3)  # scores of 0.27 and more
        sides[anchor] = [2 + dx, 2 + dy, 2 - dx, 2 - dy]  # strides to the patch's own box
    steps = np.arange(16) - 1
    peaks = -3 * np.abs(steps - sides[..., None])
    return {bins: peaks[None].astype(np.float32), logits: said}


def package_of(graph: bytes, picture: bytes, precision: str, folder: Path) -> PackageLayout:
    """Return a package of a served graph, with one golden image."""
    from tests.support.export_processes import INFO

    trained = INFO.model_copy(update={"image_width": SIZE, "image_height": SIZE})
    form = Form("int8" if precision == "int8" else "float32")
    layout = PackageLayout(folder / "package")
    detector = write_graph(layout, trained, graph, form)
    write_golden(layout, trained, {picture: detector.detect_jpeg(picture)}, form)
    return layout


def server(graph: bytes, precision: str) -> Row:
    """Weigh a server that has answered pictures by one package, with its image's packages."""
    from tests.support.running_servers import Running
    from tests.support.tiny_packages import jpeg_of, scene

    picture = jpeg_of(scene({(1, 1): 0}, columns=40, rows=30))
    with tempfile.TemporaryDirectory() as folder:
        layout = package_of(graph, picture, precision, Path(folder))
        # pandas takes pyarrow where it is; the serving image has none.
        (Path(folder) / "sitecustomize.py").write_text("import sys; sys.modules['pyarrow'] = None")
        found = os.pathsep.join([folder, *sys.path])
        running = Running(Path(folder), "--inferences", "2", PYTHONPATH=found)
        try:
            running.put(layout)
            running.load().raise_for_status()
            for _ in range(50):
                running.detect(picture).raise_for_status()
            megabytes = psutil.Process(running.process.pid).memory_info().rss / 1e6
        finally:
            running.stop()
    return at_most(f"server with one nano package in {precision}, resident",
                   f"{megabytes:.0f} MB", f"{MOST_MEGABYTES} MB allowed",
                   megabytes / MOST_MEGABYTES, 1.0)  # fmt: skip
