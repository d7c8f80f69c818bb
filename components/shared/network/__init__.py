"""The network, its loss and its decoding: the only shared room that needs TensorFlow."""
