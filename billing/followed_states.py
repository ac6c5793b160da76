"""Hour caps and balances between two days of a followed invoice, and when a later day need not be allotted again."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from billing.allocate import WindowId, Windows, WindowState
from billing.retainers import Balances

_EMPTY: Final = WindowState()


@dataclass(slots=True, eq=False)
class State:
    """Hour caps and balances before a day."""

    windows: Windows
    balances: Balances

    def copied(self) -> "State":
        """The same state once more."""
        windows = {name: replace(window) for name, window in self.windows.items()}
        return State(windows, self.balances.copied())

    def windows_after_the_same(self, before: "State", after: "State", touched: Collection[WindowId]) -> Windows | None:
        """The windows after a day that begins with this state and not, as when it was allotted, with the one `before`.

        None where something else may become of its work: it may where an hour finds room in a window now and did not
        then, or the other way round. `after` is what followed then, `touched` are the windows that the work may have
        asked. What balances say of the same question is `Balances.after_the_same`.
        """
        windows: Windows = {}
        for name in {*self.windows, *after.windows}:
            own, old, new = self.windows.get(name), before.windows.get(name), after.windows.get(name)
            if name in touched and new is not None:
                found = _after_the_same(own or _EMPTY, old or _EMPTY, new)
                if found is None:
                    return None
                windows[name] = found
            elif own is not None:
                windows[name] = replace(own)
        return windows


def _after_the_same(own: WindowState, old: WindowState, new: WindowState) -> WindowState | None:
    """A window after what made `new` of `old`, if the same happens to it from `own` on; None if it may not.

    All that was asked of it was counted, as used or over. It meets the same when all of it fits both times, or none.
    """
    used, over = new.used_seconds - old.used_seconds, new.over_seconds - old.over_seconds
    asked, limit = used + over, new.limit_seconds
    if asked == 0 and own.limit_seconds != limit:
        # Whether the day's work set the limit, or found nothing to ask, cannot be seen any more.
        return None
    all_fits = max(own.used_seconds, old.used_seconds) + asked <= limit
    nothing_fits = min(own.used_seconds, old.used_seconds) >= limit
    if own.used_seconds != old.used_seconds and not all_fits and not nothing_fits:
        return None
    return WindowState(own.used_seconds + used, limit, own.over_seconds + over)
