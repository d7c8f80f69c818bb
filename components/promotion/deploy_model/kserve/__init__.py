"""Rollout target on KServe: an InferenceService with our own server or Triton."""
