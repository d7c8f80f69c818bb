"""Canary rollout of a registered model: probe, raise its traffic share, promote or roll back."""
