"""A book in one process, set up and ready for a story."""

import pytest

from books.testing import Story


@pytest.fixture
def story() -> Story:
    """The firm with a contract for each of its two clients; everything is decided at once."""
    return Story().begin()
