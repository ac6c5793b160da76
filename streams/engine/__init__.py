"""Batch agents inside a Faust app: whole fetches per partition, acknowledged outputs, offsets last (see README.md)."""
