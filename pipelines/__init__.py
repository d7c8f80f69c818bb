"""Kubeflow pipelines, and the commands that run them on this machine or on a cluster."""
