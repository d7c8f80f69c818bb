"""Define a training: its settings, plan, fingerprint and history."""
