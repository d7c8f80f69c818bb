"""Jobs that train a detector and export it."""
