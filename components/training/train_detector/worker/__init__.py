"""Entry point of a worker process, its devices, environment and storage."""
