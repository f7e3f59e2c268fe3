"""The health strip: how many links need whom, each number a filter."""

from collections import Counter
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from linkadmin.providers.types import HealthState

from .causes import VERIFYING_LOOK, Group
from .models import VERIFYING
from .queries import group_counts, standing

LOOKS = {
    "customer": ("bad", "user"),
    "wait": ("info", "hourglass"),
    "us": ("warn", "wrench"),
    "fine": ("ok", "circle-check"),
    "ended": ("quiet", "circle-slash"),
}


@dataclass(frozen=True, slots=True)
class GroupTile:
    label: str
    count: int
    note: str
    tone: str
    icon: str
    url: str
    is_current: bool


def group_tiles(tally: Counter[str], *, current: str) -> list[GroupTile]:
    """Return the groups that have links, zeroes left out, with the most telling state of each."""
    sums = group_counts(tally)
    items = [
        GroupTile(
            label=str(Group(key).label),
            count=sums[key],
            note=_note(key, tally),
            tone=tone,
            icon=icon,
            url=f"{reverse('link-list')}?state={key}",
            is_current=current == key,
        )
        for key, (tone, icon) in LOOKS.items()
        if sums[key]
    ]
    if tally[VERIFYING]:
        verifying_url = f"{reverse('link-list')}?state={VERIFYING}"
        items.insert(
            3,
            GroupTile(
                label=str(VERIFYING_LOOK.label),
                count=tally[VERIFYING],
                note="",
                tone=VERIFYING_LOOK.tone,
                icon=VERIFYING_LOOK.icon,
                url=verifying_url,
                is_current=current == VERIFYING,
            ),
        )
    return items


def _note(key: str, tally: Counter[str]) -> str:
    if key == "customer" and (waiting := tally[HealthState.CUSTOMER_CODE.value]):
        return _("%(count)d want a code") % {"count": waiting}
    if key == "fine":
        share = 100 * group_counts(tally)["fine"] / max(1, standing(tally).total())
        return _("%(share).1f %% of all links") % {"share": share}
    return ""
