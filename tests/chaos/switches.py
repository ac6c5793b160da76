"""Protections switched off one by one, as patches of the product: who uses them must be seen to turn red.

The product has no such switches. `replace` is `setattr` in a process of its own, or a fixture that puts things back.
"""

from collections.abc import Callable

from billstream.simulating.twins import dead_letters, read_back, version_order
from books.effects import Effects
from books.stores.port import Mark
from streams.agents.fold import FoldHandler, _Owned
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing
from streams.tails import fingerprint

Replace = Callable[[object, str, object], None]
Die = Callable[[], None]


def outputs_first_off(replace: Replace, die: Die) -> None:
    """Rows and offset are committed, then outputs are published; the process may die between."""
    post = FoldHandler._post

    async def late(
        self: FoldHandler, owned: _Owned, batch: Batch, effects: Effects, letters: list[Outgoing]
    ) -> list[Settling]:
        owned.transaction.extend(batch.next_offset, Mark(batch.last_offset, fingerprint(batch.records[-1])))
        await owned.transaction.commit()
        if effects.documents and owned.caught_up:
            die()
        owned.transaction.begin(owned.next_offset)
        return await post(self, owned, batch, effects, letters)

    replace(FoldHandler, "_post", late)


SWITCHES: dict[str, Callable[[Replace, Die], None]] = {
    "version_order": lambda replace, die: version_order(replace),
    "outputs_first": outputs_first_off,
    "read_back": lambda replace, die: read_back(replace),
    "dead_letters": lambda replace, die: dead_letters(replace),
}
