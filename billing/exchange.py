"""Members in order, of which some leave and others come: few are exchanged one by one, for many all is sorted again."""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection
from typing import Any, TypeVar

_Member = TypeVar("_Member")
_FEW = 64


def exchange(
    members: list[_Member], gone: Collection[_Member], came: Collection[_Member], key: Callable[[_Member], Any]
) -> None:
    """Take some members out of a list in order and put others in; each has a key of its own."""
    if len(gone) + len(came) > _FEW:
        without = set(map(key, gone))
        members[:] = sorted([*[one for one in members if key(one) not in without], *came], key=key)
        return
    for one in gone:
        at = bisect_left(members, key(one), key=key)
        assert key(members[at]) == key(one), "what leaves was there"
        del members[at]
    for one in came:
        insort(members, one, key=key)
