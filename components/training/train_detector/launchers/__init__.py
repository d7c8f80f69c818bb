"""Where workers run: processes here, or pods of a custom resource; they learn the same there."""
