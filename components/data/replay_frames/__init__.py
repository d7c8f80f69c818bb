"""Replay held-out photographs as frames, in place of live cameras."""
