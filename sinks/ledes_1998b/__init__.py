"""E-billing files in LEDES 1998B: a writer, a separate validator, and the sink that writes only what passes it."""

from sinks.ledes_1998b.settings import Ledes1998bSettings, Receiver
from sinks.ledes_1998b.sink import Ledes1998bSink, Rendered, render
from sinks.ledes_1998b.validator import check_ledes

__all__ = ["Ledes1998bSettings", "Ledes1998bSink", "Receiver", "Rendered", "check_ledes", "render"]
