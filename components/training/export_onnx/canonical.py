"""Canonicalise an ONNX graph, so that the same network is the same bytes in every process."""

import onnx

from components.shared.contracts.model import BOXES, EMBEDDING, INPUT, SCORES

OUTPUTS = (BOXES, SCORES, EMBEDDING)
BATCH = "batch"


def canonical_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph with names that follow from its structure, without metadata of its producer.

    Nodes are ordered by what they feed, seen from the outputs, and named by their place;
    so are the tensors between them. The first dimension of each input and output is
    `batch`. Weights are in the order of their first use.

    Args:
        model: A converted graph without branches and functions.

    Raises:
        ValueError: If it takes anything but `images`: a constant that was not frozen.
    """
    inputs = [edge.name for edge in model.graph.input]
    if inputs != [INPUT]:
        raise ValueError(f"the graph takes {inputs}, expected {[INPUT]}")
    nodes = _ordered(model.graph)
    names = _names(nodes)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    graph = onnx.GraphProto(name="detector")
    for place, node in enumerate(nodes):
        graph.node.append(_renamed(node, f"{node.op_type}_{place}", names))
    for old, new in names.items():
        if old in weights:
            graph.initializer.add().CopyFrom(weights[old])
            graph.initializer[-1].name = new
    graph.input.extend(_free_batch(edge) for edge in model.graph.input)
    outputs = {edge.name: edge for edge in model.graph.output}
    graph.output.extend(_free_batch(outputs[name]) for name in OUTPUTS)
    opsets = [opset for opset in model.opset_import if opset.domain == ""]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=model.ir_version)


def _ordered(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes that the outputs need, each after those it needs."""
    maker = {output: node for node in graph.node for output in node.output}
    ordered: list[onnx.NodeProto] = []
    done: set[str] = set()
    waiting = [(maker[name], False) for name in reversed(OUTPUTS)]
    while waiting:
        node, ready = waiting.pop()
        if node.output[0] in done:
            continue
        if ready:
            ordered.append(node)
            done.update(node.output)
        else:
            waiting.append((node, True))
            waiting += [(maker[name], False) for name in reversed(node.input) if name in maker]
    return ordered


def _names(nodes: list[onnx.NodeProto]) -> dict[str, str]:
    """Return a new name for every tensor; inputs, outputs and absent tensors keep theirs."""
    names = {name: name for name in ("", INPUT, *OUTPUTS)}
    for node in nodes:
        for name in (*node.input, *node.output):
            names.setdefault(name, f"t{len(names)}")
    return names


def _renamed(node: onnx.NodeProto, name: str, names: dict[str, str]) -> onnx.NodeProto:
    renamed = onnx.NodeProto(op_type=node.op_type, name=name)
    renamed.input.extend(names[tensor] for tensor in node.input)
    renamed.output.extend(names[tensor] for tensor in node.output)
    renamed.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
    return renamed


def _free_batch(edge: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    freed = onnx.ValueInfoProto()
    freed.CopyFrom(edge)
    freed.type.tensor_type.shape.dim[0].dim_param = BATCH
    return freed
