"""Documents as PDF: the invoice a firm would send, on its own paper."""

from sinks.pdf.settings import ClientPaper, Paper, PdfSettings
from sinks.pdf.sink import PdfSink, Press

__all__ = ["ClientPaper", "Paper", "PdfSettings", "PdfSink", "Press"]
