"""Successive halving: promote the best trials to a full training, and stop the others."""
