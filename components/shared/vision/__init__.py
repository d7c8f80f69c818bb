"""Arrays and pixels, and nothing of where they come from."""
