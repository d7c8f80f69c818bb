"""Record the final state of a pipeline run and its error, also when the run failed."""
