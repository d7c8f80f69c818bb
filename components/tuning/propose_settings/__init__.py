"""Propose settings to try, spread evenly over the search space."""
