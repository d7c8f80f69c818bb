"""Lets the better settings go on to a longer training, and stops the others."""
