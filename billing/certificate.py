"""The certificate of minutes: a draft's own statement where every second went (billing-domain 2.1, BD-72).

It is made of the body it stands in and says nothing new about money; it lets anybody who has the journal, or only the
document, check that no minute was lost, doubled or exchanged.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from schemas.draft import Bucket, CertifiedBucket, DraftBody, LineKind, MinutesCertificate

_RANK = {bucket: rank for rank, bucket in enumerate(Bucket)}
Key = tuple[Bucket, str]


def with_certificate(body: DraftBody) -> DraftBody:
    """The body with its certificate."""
    return body.model_copy(update={"certificate": certificate_of(body)})


def certificate_of(body: DraftBody) -> MinutesCertificate:
    """What the certificate of a body has to be, from its lines and placements; a certificate in it is not looked at."""
    found = sorted(_by_bucket(body).items(), key=lambda item: (_RANK[item[0][0]], item[0][1]))
    buckets = tuple(_certified(bucket, reason, sorted(seconds.items())) for (bucket, reason), seconds in found)
    return MinutesCertificate(
        worked_seconds=body.worked_seconds,
        carried_in_seconds=body.carried_in_seconds,
        buckets=buckets,
        statement=statement_hash(body.entries_hash, body.contract_revision, buckets),
    )


def _certified(bucket: Bucket, reason: str, entries: Sequence[tuple[str, int]]) -> CertifiedBucket:
    seconds = tuple([one for _, one in entries])
    return CertifiedBucket(
        bucket=bucket,
        reason=reason,
        seconds=sum(seconds),
        entry_ids=tuple([entry_id for entry_id, _ in entries]),
        entry_seconds=seconds,
    )


def _by_bucket(body: DraftBody) -> Mapping[Key, dict[str, int]]:
    found: dict[Key, dict[str, int]] = {}
    billed: dict[str, int] = {}
    for line in body.lines:
        if line.kind is LineKind.FEE:
            # Only lines that bill the period's own work; what corrects an earlier document is certified there.
            for source in line.sources:
                billed[source.entry_id] = billed.get(source.entry_id, 0) + source.worked_seconds
    if billed:
        found[Bucket.BILLED, ""] = billed
    for one in body.placements:
        of_bucket = found.setdefault((one.bucket, one.reason), {})
        of_bucket[one.entry_id] = of_bucket.get(one.entry_id, 0) + one.seconds
    return found


def statement_hash(entries_hash: str, contract_revision: str, buckets: Sequence[CertifiedBucket]) -> str:
    """SHA-256 over entry set, contract revision and what each bucket holds."""
    texts = [map(entry_text, one.entry_ids, one.entry_seconds) for one in buckets]
    return hash_of_statement(entries_hash, contract_revision, buckets, texts)


def entry_text(entry_id: str, seconds: int) -> str:
    """An entry of a bucket in the text that the statement is made of."""
    return f"{entry_id} {seconds}\n"


def hash_of_statement(
    entries_hash: str, contract_revision: str, buckets: Sequence[CertifiedBucket], texts: Sequence[Iterable[str]]
) -> str:
    """The statement of buckets whose entries are given as texts."""
    lines = [f"entries {entries_hash}\n", f"contract {contract_revision}\n"]
    for one, of_entries in zip(buckets, texts, strict=True):
        lines.append(f"bucket {one.bucket.value} {one.reason} {one.seconds}\n")
        lines += of_entries
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def differences(body: DraftBody) -> tuple[str, ...]:
    """What does not hold of a body's own statement, in sentences; nothing when all of it holds."""
    said = body.certificate
    if said is None:
        return ("the document carries no certificate of minutes",)
    meant = certificate_of(body)
    found: list[str] = []
    total = sum(one.seconds for one in said.buckets)
    if total != said.worked_seconds + said.carried_in_seconds:
        found.append(
            f"the buckets hold {total} s, worked {said.worked_seconds} s and carried in {said.carried_in_seconds} s"
        )
    if (said.worked_seconds, said.carried_in_seconds) != (body.worked_seconds, body.carried_in_seconds):
        found.append(f"the certificate says {said.worked_seconds} s worked, the document {body.worked_seconds} s")
    found += _bucket_differences(said.buckets, meant.buckets)
    found += _ledger_differences(body)
    if said.statement != statement_hash(body.entries_hash, body.contract_revision, said.buckets):
        found.append("the statement is not the hash of entry set, contract revision and buckets")
    return tuple(found)


def _bucket_differences(said: Sequence[CertifiedBucket], meant: Sequence[CertifiedBucket]) -> list[str]:
    """Where the listed entries are not those on lines and placements."""
    listed = {(one.bucket, one.reason): _entries(one) for one in said}
    there = {(one.bucket, one.reason): _entries(one) for one in meant}
    found: list[str] = []
    for key in sorted({*listed, *there}, key=lambda one: (_RANK[one[0]], one[1])):
        name = _name(*key)
        ours, theirs = listed.get(key, {}), there.get(key, {})
        for entry_id in sorted({*ours, *theirs}):
            if ours.get(entry_id) != theirs.get(entry_id):
                found.append(
                    f"entry {entry_id}: {name} holds {ours.get(entry_id, 0)} s by the certificate and "
                    f"{theirs.get(entry_id, 0)} s by the document"
                )
    found += [
        f"bucket {_name(one.bucket, one.reason)}: the entries do not add up to its {one.seconds} s"
        for one in said
        if sum(one.entry_seconds) != one.seconds or len(one.entry_ids) != len(one.entry_seconds)
    ]
    return found


def _name(bucket: Bucket, reason: str) -> str:
    return f"{bucket.value} {reason}".strip()


def _entries(one: CertifiedBucket) -> dict[str, int]:
    return dict(zip(one.entry_ids, one.entry_seconds, strict=False))


def _ledger_differences(body: DraftBody) -> list[str]:
    """Where the document's own bucket totals differ from what its lines and placements hold."""
    held = {key: sum(seconds.values()) for key, seconds in _by_bucket(body).items()}
    totals: dict[Key, int] = {}
    for row in body.buckets:
        totals[row.bucket, row.reason] = totals.get((row.bucket, row.reason), 0) + row.seconds
    return [
        f"bucket {_name(*key)}: the document says {totals.get(key, 0)} s, its entries {held.get(key, 0)} s"
        for key in sorted({*held, *totals}, key=lambda one: (_RANK[one[0]], one[1]))
        if held.get(key, 0) != totals.get(key, 0)
    ]
