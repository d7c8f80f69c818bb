"""The only rooms that touch the world: database, object store, stream."""
