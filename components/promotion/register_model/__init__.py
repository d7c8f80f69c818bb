"""Store the winner of a comparison, verified, and register it as a version."""
