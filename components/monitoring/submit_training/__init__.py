"""Submit one training run for each window, idempotently."""
