"""Settings of an installation that are files: the policy."""
