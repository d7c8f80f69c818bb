"""Picks the settings that did best, and writes them down for the next training."""
