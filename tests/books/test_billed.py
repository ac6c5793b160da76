"""Time on approved documents: every second is billed once, also what was carried or lies across the end of a period."""

import pytest

from books.testing import Story, contract, entry, scope, terms, week_cap
from schemas.draft import Bucket, DraftBody

NOVEMBER = scope(first="2026-11-01", end="2026-12-01")


def billed_seconds(body: DraftBody) -> int:
    """Worked seconds on the lines of a document."""
    return sum(source.worked_seconds for line in body.lines for source in line.sources)


def month_cap(**changed: object) -> dict[str, object]:
    """Ten hours a month for everybody, what is over goes into the next month."""
    carried = {"id": "month", "pool": "all", "hours": "10", "window": "month", "overflow": "carry_forward"}
    return {**carried, **changed}


@pytest.fixture
def carried(story: Story) -> Story:
    """Sixteen hours in October under a cap of ten that carries; October is approved."""
    story.say(contract(terms(**{"from": "2026-10-01"}, caps=[month_cap()])))
    story.say(*(entry(name, f"2026-10-0{day}T09:00", "4") for day, name in enumerate("abcd", start=5)))
    story.close()
    story.approve(story.document())
    return story


def test_what_was_carried_is_billed_in_the_next_month(carried: Story) -> None:
    """BD-25: October bills ten hours of sixteen; November bills the other six, two of them of an entry on both."""
    body = carried.preview(NOVEMBER)
    assert (billed_seconds(body), str(body.net)) == (6 * 3600, "900.00")
    carried.close(NOVEMBER)
    documents = {row.date_from: row for row in carried.documents()}
    carried.approve(documents["2026-11-01"])
    december = carried.preview(scope(first="2026-12-01", end="2027-01-01"))
    assert billed_seconds(december) == 0


def test_an_entry_across_the_month_end_is_billed_on_both_invoices_in_parts(story: Story) -> None:
    """BD-60 with `split`: three hours of eight are October's; the other five stand on November's invoice."""
    story.say(contract(terms(day_attribution="split")), entry("night", "2026-10-31T21:00", "8"))
    story.close()
    story.approve(story.document())
    body = story.preview(NOVEMBER)
    assert billed_seconds(body) == 5 * 3600


def test_a_week_across_the_month_end_stays_full_after_the_approval(story: Story) -> None:
    """BD-30: what October billed of the week still uses up the cap when November is drafted."""
    story.say(contract(terms(caps=[week_cap(hours="10", overflow="write_down")])))
    story.say(entry("thu", "2026-10-29T09:00", "8"), entry("sun", "2026-11-01T09:00", "8"))
    story.close()
    story.approve(story.document())
    body = story.preview(NOVEMBER)
    assert billed_seconds(body) == 2 * 3600
    assert {bucket.bucket: bucket.seconds for bucket in body.buckets}[Bucket.WRITTEN_DOWN] == 6 * 3600


def test_an_amendment_that_carries_more_is_corrected_where_it_was_billed(carried: Story) -> None:
    """Less room in October now means that an hour of it was carried: taken back there, and billed in November once."""
    carried.say(contract(terms(**{"from": "2026-10-01"}, caps=[month_cap(hours="9")])))
    body = carried.preview(NOVEMBER)
    assert (billed_seconds(body), str(body.net)) == (6 * 3600, "900.00")
    assert [(line.seconds, str(line.amount)) for line in body.lines if line.corrects] == [(-3600, "-150.00")]


def test_a_change_after_the_approval_is_billed_where_it_counts_now(carried: Story) -> None:
    """The entry of which a part was carried became an hour longer: the hour is carried, too."""
    carried.say(entry("c", "2026-10-07T09:00", "5", revision=2))
    body = carried.preview(NOVEMBER)
    assert (billed_seconds(body), str(body.net)) == (7 * 3600, "1050.00")
