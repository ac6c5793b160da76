"""Keeping what cannot be had again: rebuilt stores, past states, backups and what is restored from them."""
