"""Says whether to train again, always with its reason, and records it."""
