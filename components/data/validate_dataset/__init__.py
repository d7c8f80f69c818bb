"""Check every image and box of a snapshot before a training uses it."""
