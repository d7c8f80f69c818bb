"""Freezes what is labelled into an immutable snapshot, with every image on its side for ever."""
