"""The way in: one folder for each source of entries."""
