"""KServe as a place where models are served, by our own server or by Triton."""
