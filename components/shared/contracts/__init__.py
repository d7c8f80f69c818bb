"""What two rooms must agree on, and nothing else."""
