"""Custom resources of a Kubernetes cluster, as plain mappings."""
