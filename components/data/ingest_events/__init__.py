"""What came through the stream is in the database, exactly once, or in quarantine."""
