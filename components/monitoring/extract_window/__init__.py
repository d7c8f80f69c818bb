"""Extract the window of predictions served since the last decision, as an immutable artifact."""
