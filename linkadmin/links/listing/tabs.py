"""Tabs above the list of links: who they're waiting on, all, and the reader's own. Other filters stay."""

from collections import Counter
from collections.abc import Iterator

from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.links.causes import Group
from linkadmin.links.queries import NOT_WORKING, portfolio_of
from linkadmin.web.flat_parts import FlatPart

from .counted import in_states, links_by_state
from .filters import MINE, LinkFilter

_TAB = FlatPart("links/_tab.html")


def tabs(chosen: LinkFilter, by_state: Counter[str] | None, *, reader: User) -> str:
    """Markup of the tabs. `by_state` counts the links that the filter finds in any state."""
    return _TAB.fill(_tabs(chosen, by_state, reader))


def _tabs(chosen: LinkFilter, by_state: Counter[str] | None, reader: User) -> Iterator[dict[str, object]]:
    has_mine = portfolio_of(reader) is None  # otherwise, all are
    is_mine = has_mine and chosen.assignee == MINE
    mine = by_state if is_mine else links_by_state(chosen.instead(assigned=[MINE]), reader) if has_mine else None
    if is_mine:
        chosen = chosen.instead(assigned=())
        by_state = links_by_state(chosen, reader)
    current = None if is_mine else chosen.states
    for label, states in _groups():
        yield {
            "key": "".join(states) or "all",
            "label": label,
            "url": chosen.url(state=states),
            "count": _text(in_states(by_state, states)),
            "is_current": states == current,
        }
    if has_mine:
        yield {
            "key": MINE,
            "label": _("Mine"),
            "url": chosen.url(state=(), assigned=[MINE]),
            "count": _text(in_states(mine, ())),
            "is_current": is_mine,
        }


def _groups() -> Iterator[tuple[str, tuple[str, ...]]]:
    short = {Group.WAIT: _("Bank/provider"), Group.US: _("Us")}
    for group in NOT_WORKING:
        yield short.get(group, str(group.label)), (group.value,)
    yield _("All"), ()


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
