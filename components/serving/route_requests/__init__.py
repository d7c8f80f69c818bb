"""Reverse proxy in front of two servers, which splits requests between champion and candidate."""
