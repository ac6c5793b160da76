"""The entries of one bucket of a certificate from body to body: only what comes or leaves is looked at."""

from collections.abc import Mapping, Sequence

from billing.certificate import entry_text
from billing.exchange import exchange
from billing.ledger import Reason
from schemas.draft import CertifiedBucket

_FEW = 64
"""So many parts are exchanged one by one."""
_ONE_IN = 8
"""The entries of a bucket that has fewer than one in so many are sorted; more are picked from all in order."""


class FollowedBucket:
    """Worked seconds of entries, as the sum of parts: the work of one day, or of one kind on it."""

    def __init__(self, reason: Reason) -> None:
        self.ids: list[str] = []
        """Of the entries, in order."""
        self._reason = reason
        self._seconds: dict[str, int] = {}
        self._pieces: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._parts: dict[int, Mapping[str, int]] = {}
        self._certified: tuple[CertifiedBucket, str] | None = None

    @property
    def seconds(self) -> int:
        """Of all entries."""
        return sum(self._seconds.values())

    def become(self, parts: Sequence[Mapping[str, int]], ids: Sequence[str]) -> None:
        """Hold just these parts; one that did not change is the same object. `ids` are all there may be, in order."""
        now = dict(zip(map(id, parts), parts, strict=True))
        gone = [self._parts[one] for one in self._parts.keys() - now.keys()]
        came = [now[one] for one in now.keys() - self._parts.keys()]
        self._parts = now
        if not gone and not came:
            return
        self._certified = None
        changed = {one for part in (*gone, *came) for one in part}
        before = changed & self._seconds.keys()
        for part in gone:
            self._count(part, -1)
        for part in came:
            self._count(part, 1)
        for entry_id in changed:
            if self._pieces[entry_id]:
                self._texts[entry_id] = entry_text(entry_id, self._seconds[entry_id])
            else:
                del self._pieces[entry_id], self._seconds[entry_id]
                self._texts.pop(entry_id, None)
        if len(gone) + len(came) > _FEW:
            is_small = len(self._seconds) * _ONE_IN < len(ids)
            self.ids = sorted(self._seconds) if is_small else [one for one in ids if one in self._seconds]
        else:
            exchange(self.ids, before - self._seconds.keys(), (changed - before) & self._seconds.keys(), str)

    def _count(self, part: Mapping[str, int], times: int) -> None:
        for entry_id, worked in part.items():
            self._seconds[entry_id] = self._seconds.get(entry_id, 0) + times * worked
            self._pieces[entry_id] = self._pieces.get(entry_id, 0) + times

    def certified(self) -> tuple[CertifiedBucket, str]:
        """The bucket of the certificate, and its entries as the statement says them."""
        if self._certified is None:
            bucket, reason = self._reason
            seconds = tuple(map(self._seconds.__getitem__, self.ids))
            said = CertifiedBucket(
                bucket=bucket,
                reason=reason,
                seconds=sum(seconds),
                entry_ids=tuple(self.ids),
                entry_seconds=seconds,
            )
            self._certified = said, "".join(map(self._texts.__getitem__, self.ids))
        return self._certified
