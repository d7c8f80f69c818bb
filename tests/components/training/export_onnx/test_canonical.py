import random

import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from components.training.export_onnx.canonical import canonical_graph
from tests.support.tiny_packages import tiny_graph


def scrambled(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """The same network as another process might have written it."""
    dice = random.Random(seed)
    other = onnx.ModelProto()
    other.CopyFrom(model)
    graph = other.graph
    kept = {edge.name for edge in (*graph.input, *graph.output)}
    inner = {name for node in graph.node for name in (*node.input, *node.output)} - kept
    names = {name: f"Func/{dice.random()}/{name}" for name in sorted(inner)}
    for node in graph.node:
        node.name, node.doc_string = f"node_{dice.random()}", "traced here"
        for side in (node.input, node.output):
            renamed = [names.get(name, name) for name in side]
            side[:] = renamed
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    for part in (graph.node, graph.initializer, graph.output):
        copies = list(part)
        dice.shuffle(copies)
        del part[:]
        part.extend(copies)
    graph.name, other.producer_name = f"run {seed}", "somebody"
    graph.input[0].type.tensor_type.shape.dim[0].dim_param = f"unk__{seed}"
    return other


def content(model: onnx.ModelProto) -> bytes:
    return canonical_graph(model).SerializeToString(deterministic=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_names_and_order_do_not_matter(seed):
    model = tiny_graph(2, 64, 32)

    assert content(scrambled(model, seed)) == content(model)


def test_weights_matter():
    assert content(tiny_graph(2, 64, 32, shift=1)) != content(tiny_graph(2, 64, 32))


def test_a_second_time_changes_nothing():
    once = canonical_graph(tiny_graph(1, 64, 64))

    assert canonical_graph(once) == once


def test_the_graph_is_still_a_valid_one():
    onnx.checker.check_model(canonical_graph(tiny_graph(1, 64, 64)), full_check=True)
