"""The version of the fold: a store written by another version is rebuilt, because its rows may mean something else."""

FOLD_VERSION = "18"
"""Raise it with every change to what rows or facts follow from a journal."""
