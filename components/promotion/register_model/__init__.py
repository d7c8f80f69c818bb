"""Keep the winner, whole and verified, and give it a version."""
