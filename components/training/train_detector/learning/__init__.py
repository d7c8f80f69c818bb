"""The training itself, in one worker."""
