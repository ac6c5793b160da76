"""Counted series: invoice numbers, and marks of what a book has at all, so that hot paths need not look for it."""

from books.book import Book
from books.rows import CounterRow


def count(book: Book, series: str) -> int:
    """Count one more of a series; returns how many there were before."""
    row = book.get(CounterRow, series)
    before = 0 if row is None else row.count
    book.put(series, CounterRow(count=before + 1))
    return before


def next_number(book: Book, series: str, first: int) -> int:
    """The number after the last one of a series, but none below `first`: a changed beginning repeats no number."""
    row = book.get(CounterRow, series)
    number = first if row is None else max(first, row.count)
    book.put(series, CounterRow(count=number + 1))
    return number
