"""From a package and a picture to boxes: the one way, for server, evaluation and batch."""
