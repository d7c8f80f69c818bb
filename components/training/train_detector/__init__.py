"""Train the detector on a snapshot, from scratch or from the champion's weights."""
