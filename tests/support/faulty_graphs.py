"""Packages with a fault in their graph, and the word by which each must be refused."""

import platform
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from components.shared.contracts.model import PackageLayout
from tests.support.faulty_packages import SIZE, Fault, cut, sealed
from tests.support.tiny_packages import tiny_graph


def graph_with(*nodes: onnx.NodeProto, of: str = "scores", **constants):
    """Return a fault in the graph: nodes take `before` and give what `of` names.

    `is_blue` says whether there is blue in the picture, and no golden picture has any, so
    that what hangs on it shows after the package is loaded.
    """

    def make(layout: PackageLayout) -> None:
        model = onnx.load(layout.model)
        for each in model.graph.node:
            for edges in (each.input, each.output):
                edges[:] = ["before" if name == of else name for name in edges]
        known = {"third": np.array([2]), "half": np.float32(0.5), **constants}
        model.graph.initializer.extend(
            numpy_helper.from_array(np.asarray(value), name) for name, value in known.items()
        )
        blue = [
            node("Gather", "images third", "blues", axis=1),
            node("ReduceMax", "blues", "blue", keepdims=0),
            node("Greater", "blue half", "is_blue"),
        ]
        model.graph.node.extend([*blue, *nodes])
        sealed(layout, model)

    return make


def if_blue(then: str, otherwise: str, result: str) -> onnx.NodeProto:
    return node("Where", f"is_blue {then} {otherwise}", result)


def loop(times: str) -> list[onnx.NodeProto]:
    """Count as often as `times` says, and add nothing to the scores for it."""
    number, sort = helper.make_tensor_value_info, TensorProto
    body = helper.make_graph(
        [node("Identity", "going", "on"), node("Add", "sum one", "more")],
        "body",
        [number("step", sort.INT64, []), number("going", sort.BOOL, []),
         number("sum", sort.FLOAT, [])],
        [number("on", sort.BOOL, []), number("more", sort.FLOAT, [])],
    )  # fmt: skip
    return [
        node("Loop", f"{times} yes zero", "counted", body=body),
        node("Mul", "counted zero", "naught"),
        node("Add", "before naught", "scores"),
    ]


def node(kind: str, inputs: str, outputs: str, **attributes) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def _custom(layout):
    model = onnx.load(layout.model)
    model.graph.node.append(helper.make_node("Evil", ["boxes"], ["x"], domain="com.example"))
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    sealed(layout, model)


def _external(layout):
    model = onnx.load(layout.model)
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "corners")
    external_data_helper.set_external_data(weights, location="../../../etc/passwd")
    weights.ClearField("raw_data")
    sealed(layout, model)


def _opset(layout):
    model = onnx.load(layout.model)
    model.opset_import[0].version = 99
    sealed(layout, model)


def _two(layout):
    layout.model.write_bytes(tiny_graph(2, SIZE, SIZE).SerializeToString())
    sealed(layout)  # as a detector of one class


def _golden(layout):
    lines = layout.golden.read_text()
    layout.golden.write_text(lines.replace('"x_min":0.0', '"x_min":4.0'))
    sealed(layout)


def _cut_before_sealing(layout):
    cut(layout)
    sealed(layout)


YES: dict[str, Any] = {"yes": np.array(True)}
SNAPSHOT = "image 2 of the snapshot"  # the blue one
# Each of these needs a server of its own.
SERVED = {
    "hang in load": Fault(
        graph_with(*loop("most"), most=np.int64(2**62), **YES),
        "hangs and is killed after 3 s while it loads the package",
        {"max_load_s": 3},
    ),
    "hang in an answer": Fault(
        graph_with(
            if_blue("most", "none", "times"),
            *loop("times"),
            most=np.int64(2**62),
            none=np.int64(0),
            **YES,
        ),
        f"hangs and is killed after 2 s while it computes the tensors of {SNAPSHOT}",
        {"max_answer_s": 2},
    ),
    "out of memory": Fault(
        graph_with(
            if_blue("much", "little", "length"),
            node("ConstantOfShape", "length", "zeros"),
            node("ReduceMax", "zeros", "greatest", keepdims=0),
            node("Add", "before greatest", "scores"),
            much=np.array([2**34]),
            little=np.array([1]),
        ),
        r"out of memory \(limit 1500 MB\)",
    ),
    "NaN": Fault(
        graph_with(
            if_blue("below", "one", "operand"),
            node("Log", "operand", "log"),
            node("Add", "before log", "scores"),
            below=np.float32(-1),
        ),
        "the model gives no finite scores",
    ),
    "missing operator": Fault(
        graph_with(node("NoSuchOperator", "before", "scores")), "NoSuchOperator"
    ),
    "NaN in a box": Fault(
        graph_with(
            if_blue("below", "one", "operand"),
            node("Sqrt", "operand", "root"),
            node("Mul", "before root", "boxes"),
            of="boxes",
            below=np.float32(-1),
        ),
        "the model gives no finite boxes",
    ),
    "infinite": Fault(
        graph_with(
            if_blue("zero", "one", "operand"),
            node("Div", "one operand", "endless"),
            node("Add", "before endless", "embedding"),
            of="embedding",
        ),
        "the model gives no finite embedding",
    ),
    "no probability": Fault(
        graph_with(if_blue("two", "one", "factor"), node("Mul", "before factor", "scores")),
        "scores run from 0 to 1.9",
    ),
    "box outside": Fault(
        graph_with(
            if_blue("away", "still", "by"),
            node("Add", "before by", "boxes"),
            of="boxes",
            away=np.array([1000, 0, 1000, 0], np.float32),
            still=np.zeros(4, np.float32),
        ),
        "a box with a high score, 1048, 48, 1064, 64, lies outside the image",
    ),
    "box that runs backwards": Fault(
        graph_with(
            if_blue("away", "still", "by"),
            node("Add", "before by", "boxes"),
            of="boxes",
            away=np.array([20, 0, 0, 0], np.float32),
            still=np.zeros(4, np.float32),
        ),
        "a sure box, 68, 48, 64, 64, runs backwards",
    ),
    "other shape when it runs": Fault(
        graph_with(
            if_blue("twice", "onefold", "times"),
            node("Tile", "before times", "scores"),
            twice=np.array([1, 2, 1]),
            onefold=np.array([1, 1, 1]),
        ),
        r"scores has the shape \[1, 32, 1\], expected \[1, 16, 1\]",
    ),
    "other shape": Fault(_two, r"scores is tensor\(float\) .*expected float32", {}),
    "opset of the future": Fault(_opset, "(?i)opset"),
    "custom operator": Fault(_custom, "of the operator domain 'com.example'"),
    "external data": Fault(_external, "the weights corners lie in another file"),
    "truncated before it was sealed": Fault(_cut_before_sealing, "no ONNX model"),
    "golden answers differ": Fault(_golden, "is answered differently: no car at 4, 0 to 16, 16"),
    "answers by chance": Fault(
        graph_with(
            node("RandomUniform", "", "chance", shape=[4], low=0.0, high=30.0),
            if_blue("chance", "still", "by"),
            node("Add", "before by", "boxes"),
            of="boxes",
            still=np.zeros(4, np.float32),
        ),
        f"{SNAPSHOT} is answered differently|is inverted|lies outside the image",
    ),
    "slow answers": Fault(
        graph_with(*loop("some"), some=np.int64(100_000), **YES),
        "an answer takes .* ms, expected at most 20",
        {"max_answer_ms": 20},
    ),
    "slow load": Fault(
        graph_with(*loop("some"), some=np.int64(20_000_000), **YES),
        "killed after 3 s while it loads the package",
        {"max_load_s": 3},
    ),
    "hungry for CPU": Fault(
        graph_with(*loop("most"), most=np.int64(2**62), **YES),
        "uses up its 4 s of CPU while it loads the package",
        {"max_cpu_s": 4},
    ),
}

if platform.machine() == "x86_64":  # other processors take this for a number
    SERVED["crash"] = Fault(
        graph_with(
            if_blue("minus", "one_whole", "divisor"),
            node("Div", "least divisor", "part"),
            node("Cast", "part", "share", to=TensorProto.FLOAT),
            node("Mul", "share zero", "naught"),
            node("Add", "before naught", "scores"),
            least=np.int32(-(2**31)), minus=np.int32(-1), one_whole=np.int32(1),
        ),
        f"crashes with SIGFPE while it computes the tensors of {SNAPSHOT}",
    )  # fmt: skip
