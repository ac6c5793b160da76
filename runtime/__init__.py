"""Machinery without a business word: broker, Kafka, files, logs, metrics, health, clock; it imports no other room."""
