"""Tiles with links by who they're waiting on, each a filter. Also the counts on integration pages."""

from collections import Counter
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.template import Context
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from linkadmin.accounts.roles import Right
from linkadmin.providers.types import HealthState
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

from . import counts
from .causes import VERIFYING_LOOK, Group
from .models import VERIFYING
from .queries import group_counts, standing
from .state_counts import state_counts

COUNTS = "links by integration"  # while a page is drawn
LOOKS = {
    "customer": ("warn", "user"),
    "wait": ("info", "hourglass"),
    "us": ("us", "wrench"),
    VERIFYING: (VERIFYING_LOOK.tone, VERIFYING_LOOK.icon),
    "fine": ("ok", "circle-check"),
    "ended": ("quiet", "circle-slash"),
}


_TILE = FlatPart("links/_group_tile.html")


def group_tiles(by_state: Counter[str], *, may_view_links: bool = True) -> str:
    """Markup of the tiles; none for empty groups."""
    return _tiles(tuple(by_state.items()), may_view_links, get_language())


@lru_cache(maxsize=200)
def _tiles(counted: tuple[tuple[str, int], ...], may_view_links: bool, _language: str | None) -> str:
    by_state = Counter(dict(counted))
    sums, url = group_counts(by_state) | {VERIFYING: by_state[VERIFYING]}, reverse("link-list")
    return _TILE.fill(
        {
            "tone": tone,
            "icon": icon(name),
            "label": str(VERIFYING_LOOK.label if key == VERIFYING else Group(key).label),
            "count": sums[key],
            "note": _note(key, by_state),
            "url": f"{url}?state={key}" if may_view_links else "",
        }
        for key, (tone, name) in LOOKS.items()
        if sums[key]
    )


def reached(page: Context) -> dict[str, Any]:
    return {"reached_count": standing(_by_integration(page)[page["integration"].pk]).total()}


def by_state(page: Context) -> dict[str, Any]:
    integration = page["integration"]
    counted = _by_integration(page)[integration.pk]
    url = f"{reverse('link-list')}?integration={integration.pk}&state=" if Right.VIEW_LINKS in page["rights"] else ""
    return {
        "links_count": counted.total(),
        "states": state_counts(counted, url=url, green=not integration.keys_rejected),
    }


def _by_integration(page: Context) -> dict[UUID, Counter[str]]:
    """Read once per page, whose rows and parts all ask for it."""
    kept = page.render_context
    if COUNTS not in kept:
        kept[COUNTS] = counts.by_integration()
    found: dict[UUID, Counter[str]] = kept[COUNTS]
    return found


def _note(key: str, by_state: Counter[str]) -> str:
    if key == "customer" and (waiting := by_state[HealthState.CUSTOMER_CODE.value]):
        return ngettext("%(count)d needs a code", "%(count)d need a code", waiting) % {"count": waiting}
    if key == "fine":
        share = 100 * group_counts(by_state)["fine"] / max(1, standing(by_state).total())
        return _("%(share).1f%% of active links") % {"share": share}
    return ""
