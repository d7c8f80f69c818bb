"""The graphs that Kubeflow runs, and the ways to run them."""
