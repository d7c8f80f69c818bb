"""Ingest events from Kafka into PostgreSQL exactly once; unreadable ones go to quarantine."""
