"""Machinery without a business word: broker, Kafka, files, logs, metrics, health, clock. It imports none of our other rooms."""
