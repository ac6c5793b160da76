"""Deciders: what an entry is, from a request alone. Pure; the slow ones come beside the offline one behind the same
port.
"""
