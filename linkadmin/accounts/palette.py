"""What the palette finds of pages: those of the navigation and the account menu, and the page of a pasted URL."""

from collections.abc import Iterator

from django.http import Http404
from django.urls import resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.search.pasted import Pasted
from linkadmin.web.palette import Found, PaletteEntry, PaletteGroup, Result

from .context import NAVIGATION
from .models import User
from .roles import Access, Right, may, rule_for

ENTRIES = (
    *(
        PaletteEntry(PaletteGroup.PAGES, each.label, each.view, each.icon, each.right)
        for _label, section in NAVIGATION
        for each in section
    ),
    PaletteEntry(PaletteGroup.PAGES, gettext_lazy("Security"), "own-security", "shield-check"),
    PaletteEntry(PaletteGroup.ACTIONS, gettext_lazy("Change password"), "account_change_password", "key-round"),
    PaletteEntry(
        PaletteGroup.ACTIONS,
        gettext_lazy("Invite a colleague"),
        "staff-new",
        "user-cog",
        Right.MANAGE_STAFF,
    ),
)


def page_of_url(reader: User, pasted: Pasted) -> Iterator[Found]:
    path = pasted.path.partition("?")[0]
    if not path.startswith("/") or path.startswith("//"):
        return
    try:
        match = resolve(path)
    except Http404:
        return
    rule = rule_for(match.view_name, "GET", match.kwargs.get("change"))
    if rule is Access.SIGNED_IN or (isinstance(rule, Right) and may(reader, rule)):
        yield PaletteGroup.PAGES, Result(_("Open this page"), pasted.path, "link", note=pasted.path)
