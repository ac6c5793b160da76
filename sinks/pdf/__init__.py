"""Documents as PDF: the invoice a firm would send, on its own paper. The sink itself is in `sinks.pdf.sink`, so that
whoever only reads settings does not load a typesetter.
"""

from sinks.pdf.settings import ClientPaper, Paper, PdfSettings

__all__ = ["ClientPaper", "Paper", "PdfSettings"]
