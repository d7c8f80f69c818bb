"""A trained network becomes a package: one ONNX graph, its contract and known answers."""
