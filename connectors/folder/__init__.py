"""A watched folder: hands out files that are whole, and moves them away with a report when they are done."""

from connectors.folder.finish import Outcome, finish
from connectors.folder.watch import FolderSettings, FolderWatch, SettledFile, watch

__all__ = ["FolderSettings", "FolderWatch", "Outcome", "SettledFile", "finish", "watch"]
