"""Input pipeline: read, augment and batch images and labels."""
