"""Smoke test of a model package in the real server, in a sandbox, before promotion."""
