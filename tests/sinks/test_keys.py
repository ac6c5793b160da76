"""Keys of documents at sinks: the same for every try, and for nothing else."""

from schemas.draft import DocumentState
from sinks.base import key_for
from sinks.testing import example_draft


def test_the_same_again_has_the_same_key() -> None:
    """A try after a lost answer is known by the sink for what it is."""
    assert key_for(example_draft(), "books").idempotency_key == key_for(example_draft(), "books").idempotency_key


def test_what_must_be_created_apart_has_keys_apart() -> None:
    """A redraft, an issue, another sink and a person's new wish each make something of their own."""
    draft = example_draft()
    keys = [
        key_for(draft, "books"),
        key_for(draft.model_copy(update={"revision": draft.revision + 1}), "books"),
        key_for(draft.model_copy(update={"state": DocumentState.APPROVED}), "books"),
        key_for(draft.model_copy(update={"document_id": "another"}), "books"),
        key_for(draft, "ledger"),
        key_for(draft, "books", generation=2),
    ]
    assert len({key.idempotency_key for key in keys}) == len(keys)
