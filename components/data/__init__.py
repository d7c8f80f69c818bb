"""Jobs that import, ingest, freeze and validate images and labels."""
