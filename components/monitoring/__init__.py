"""Monitoring jobs: window of predictions, drift, retraining decision, submission, run outcome."""
