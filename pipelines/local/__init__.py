"""Local stack: run pipelines on one machine with embedded database, Kafka and model servers."""
