"""Looks at every image and box of a snapshot before anything learns from them."""
