"""Pick the best settings of a search, and write them to a recipe for the next training."""
