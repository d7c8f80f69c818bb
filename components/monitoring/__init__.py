"""Jobs that watch what is served, and decide and record what follows."""
