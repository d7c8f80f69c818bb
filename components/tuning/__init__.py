"""Jobs that search for better settings."""
