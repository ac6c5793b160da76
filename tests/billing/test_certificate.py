"""The certificate of minutes: what it says of a document, and what it says when the document was changed."""

from collections.abc import Callable

import pytest

from billing.certificate import certificate_of, differences, statement_hash, with_certificate
from billing.testing import open_desk
from schemas.draft import Bucket, CertifiedBucket, DraftBody

CAP = {"id": "week", "window": "week", "hours": "3", "pool": "all", "overflow": "write_down"}
WORK = """
    entry  date        worked  person  held
    a      2025-03-03  2.00    ana     -
    b      2025-03-04  2.00    bo      -
    c      2025-03-05  0.50    bo      on_hold
"""


def body() -> DraftBody:
    """Three hours on lines, one written down, half an hour held."""
    return open_desk(rates=[{"rate": "100"}], caps=[CAP]).bill(WORK).body


def test_each_bucket_lists_its_entries_with_their_seconds() -> None:
    """In the order of the buckets, each with its sum; the statement is a hash of exactly these lines."""
    said = body().certificate
    assert said is not None
    assert (said.worked_seconds, said.carried_in_seconds) == (16200, 0)
    rows = [(one.bucket.value, one.reason, one.seconds, one.entry_ids, one.entry_seconds) for one in said.buckets]
    assert rows == [
        ("billed", "", 10800, ("a", "b"), (7200, 3600)),
        ("written_down", "cap:week", 3600, ("b",), (3600,)),
        ("held", "on_hold", 1800, ("c",), (1800,)),
    ]
    assert said.statement == statement_hash(body().entries_hash, "contract-1", said.buckets)
    assert differences(body()) == ()


def test_the_statement_is_a_hash_of_written_lines() -> None:
    """Anybody can compute it with pencil and paper: SHA-256 of these lines, whatever program made them."""
    bucket = CertifiedBucket(bucket=Bucket.HELD, reason="on_hold", seconds=60, entry_ids=("a",), entry_seconds=(60,))
    # printf 'entries e\ncontract c\nbucket held on_hold 60\na 60\n' | sha256sum
    assert statement_hash("e", "c", [bucket]) == "ffd8286586ddae9376b7e7a3e1b21024285e98ef53dd6e19ddf34ee4451e52b5"


def bucket_changed(number: int, **changes: object) -> Callable[[DraftBody], DraftBody]:
    """The same document with another certificate."""

    def change(whole: DraftBody) -> DraftBody:
        said = whole.certificate
        assert said is not None
        buckets = list(said.buckets)
        buckets[number] = buckets[number].model_copy(update=changes)
        return whole.model_copy(update={"certificate": said.model_copy(update={"buckets": tuple(buckets)})})

    return change


def body_changed(**changes: object) -> Callable[[DraftBody], DraftBody]:
    """Another document under the same certificate."""
    return lambda whole: whole.model_copy(update=changes)


HASH = "the statement is not the hash of entry set, contract revision and buckets"


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (body_changed(certificate=None), ["the document carries no certificate of minutes"]),
        (body_changed(worked_seconds=16201), ["the certificate says 16200 s worked, the document 16201 s"]),
        (body_changed(carried_in_seconds=5), ["the certificate says 16200 s worked, the document 16200 s"]),
        (body_changed(entries_hash="other"), [HASH]),
        (body_changed(contract_revision="other"), [HASH]),
        (
            bucket_changed(2, seconds=1801),
            [
                "the buckets hold 16201 s, worked 16200 s and carried in 0 s",
                "bucket held on_hold: the entries do not add up to its 1801 s",
                HASH,
            ],
        ),
        (
            bucket_changed(0, entry_seconds=(7201, 3599)),
            [
                "entry a: billed holds 7201 s by the certificate and 7200 s by the document",
                "entry b: billed holds 3599 s by the certificate and 3600 s by the document",
                HASH,
            ],
        ),
        (
            bucket_changed(0, entry_ids=("a", "z")),
            [
                "entry b: billed holds 0 s by the certificate and 3600 s by the document",
                "entry z: billed holds 3600 s by the certificate and 0 s by the document",
                HASH,
            ],
        ),
        (
            bucket_changed(0, entry_ids=("a", "b", "c")),
            ["bucket billed: the entries do not add up to its 10800 s"],
        ),
        (
            bucket_changed(1, reason="cap:other"),
            [
                "entry b: written_down cap:other holds 3600 s by the certificate and 0 s by the document",
                "entry b: written_down cap:week holds 0 s by the certificate and 3600 s by the document",
                HASH,
            ],
        ),
        (
            bucket_changed(2, bucket=Bucket.WRITTEN_DOWN),
            [
                "entry c: written_down on_hold holds 1800 s by the certificate and 0 s by the document",
                "entry c: held on_hold holds 0 s by the certificate and 1800 s by the document",
                HASH,
            ],
        ),
    ],
)
def test_whatever_is_changed_is_said(change: Callable[[DraftBody], DraftBody], sentences: list[str]) -> None:
    """Each sentence names the entry or the bucket, and both figures."""
    assert list(differences(change(body()))) == sentences


def test_totals_that_are_not_those_of_the_entries_are_said() -> None:
    """The document's own ledger is compared with its lines and placements, bucket by bucket."""
    whole = body()
    first, *rest = whole.buckets
    assert first.bucket is Bucket.BILLED
    less = whole.model_copy(update={"buckets": (first.model_copy(update={"seconds": 10799}), *rest)})
    assert differences(less) == ("bucket billed: the document says 10799 s, its entries 10800 s",)
    none = whole.model_copy(update={"buckets": tuple(rest)})
    assert differences(none) == ("bucket billed: the document says 0 s, its entries 10800 s",)
    extra = first.model_copy(update={"bucket": Bucket.HELD, "reason": "nothing", "seconds": 7})
    more = whole.model_copy(update={"buckets": (extra, *whole.buckets)})
    assert differences(more) == ("bucket held nothing: the document says 7 s, its entries 0 s",)
    twice = whole.model_copy(update={"buckets": (first, *whole.buckets)})
    assert differences(twice) == ("bucket billed: the document says 21600 s, its entries 10800 s",)


def test_a_certificate_of_a_certified_body_is_the_same() -> None:
    """It is made of lines and placements alone; what a body says already is not looked at."""
    whole = body()
    assert certificate_of(whole) == whole.certificate == certificate_of(bucket_changed(0, seconds=1)(whole))


def test_totals_are_said_in_the_order_of_the_buckets() -> None:
    """As the document lists them: billed, written down, held; not by the letters of their names."""
    whole = body()
    less = whole.model_copy(
        update={"buckets": tuple(one.model_copy(update={"seconds": one.seconds - 1}) for one in whole.buckets)}
    )
    assert differences(less) == (
        "bucket billed: the document says 10799 s, its entries 10800 s",
        "bucket written_down cap:week: the document says 3599 s, its entries 3600 s",
        "bucket held on_hold: the document says 1799 s, its entries 1800 s",
    )


def test_a_bucket_without_a_second_needs_no_row() -> None:
    """A row of 0 s that no entry is in, and an entry of 0 s that no row counts, are no difference."""
    whole = body()
    none = whole.buckets[-1].model_copy(update={"bucket": Bucket.NON_BILLABLE, "reason": "nothing", "seconds": 0})
    assert differences(whole.model_copy(update={"buckets": (*whole.buckets, none)})) == ()
    empty = whole.placements[0].model_copy(update={"entry_id": "z", "reason": "nothing", "seconds": 0})
    more = whole.model_copy(update={"placements": (*whole.placements, empty)})
    assert differences(with_certificate(more)) == ()


def test_time_that_was_carried_in_is_worked_before_and_stands_in_the_buckets() -> None:
    """Two hours of an earlier week are billed with one of this week: three in the buckets, one worked."""
    week = {"id": "week", "window": "week", "hours": "3", "pool": "all", "overflow": "carry_forward"}
    desk = open_desk(rates=[{"rate": "100"}], caps=[week], also={"from": "2025-03-03"})
    carried = desk.bill("date  worked\n2025-03-03  5.00\n2025-03-10  1.00", "2025-W11").body
    assert (carried.worked_seconds, carried.carried_in_seconds) == (3600, 7200)
    assert differences(carried) == ()


def test_time_that_was_carried_in_and_drawn_from_a_block_was_carried_in_all_the_same() -> None:
    """What a balance pays is on no line, and comes from the earlier week like what is billed; here of two entries."""
    week = {"id": "week", "window": "week", "hours": "3", "pool": "all", "overflow": "carry_forward"}
    block = {"id": "pack", "hours": 50, "purchased": "2025-03-03"}
    desk = open_desk(rates=[{"rate": "100"}], caps=[week], prepaid_blocks=[block], also={"from": "2025-03-03"})
    work = "date  worked\n2025-03-03  3.50\n2025-03-04  1.50\n2025-03-10  1.00"
    carried = desk.bill(work, "2025-W11").body
    assert (carried.worked_seconds, carried.carried_in_seconds) == (3600, 7200)
    assert differences(carried) == ()


def test_an_entry_without_time_does_not_hide_those_behind_it() -> None:
    """The value of what was written off before it was priced is not known, also behind an entry of no second."""
    desk = open_desk(rates=[{"rate": "100"}])
    invoice = desk.bill("""
        date        written_off  worked
        2025-03-03  courtesy     0:00
        2025-03-04  courtesy     1.00
    """).invoice
    assert [(row.seconds, row.entries, row.value_units) for row in invoice.ledger] == [(3600, 2, None)]
