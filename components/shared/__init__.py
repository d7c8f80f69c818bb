"""Packages that jobs of every stage use."""
