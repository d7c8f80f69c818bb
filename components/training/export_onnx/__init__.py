"""Export a trained network to a package: one ONNX graph, its description and golden answers."""
