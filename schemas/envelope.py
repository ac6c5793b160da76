"""The envelope every record carries: who it is about, what caused it, where it came from, when it was recorded."""

from schemas.values import Envelope

__all__ = ["Envelope"]
