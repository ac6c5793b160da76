"""A whole installation in one process, driven by a seed: faults between any two effects, judged from its log."""
