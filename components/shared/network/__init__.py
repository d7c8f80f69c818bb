"""The detector network in Keras: layers, label assignment, loss, decoding and weights."""
