"""The way out: one folder for each destination of documents."""
