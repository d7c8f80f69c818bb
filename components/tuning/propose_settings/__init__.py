"""Proposes settings to try, spread evenly over what is searched."""
