"""Decide whether to retrain on a drift report, and record the decision with its reason."""
