"""Measures how far served frames are from what the champion was judged on."""
