"""Kubernetes API client for custom resources, pods and logs."""
