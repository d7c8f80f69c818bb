"""Services and jobs that answer with boxes."""
