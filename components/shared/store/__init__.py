"""Clients of the database, the object store, Kafka and MLflow."""
