"""What the palette finds of operations, by their ID or the request ID, and what can be done to a link."""

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.integrations.limits import Limits
from linkadmin.links.listing.marks import marked
from linkadmin.links.models import Link
from linkadmin.operations.activity import visible_to
from linkadmin.operations.recent import RecentOperations
from linkadmin.search.pasted import Pasted
from linkadmin.web.palette import MOST_SHOWN, Found, PaletteEntry, PaletteGroup, Result

from .buttons import head_of, repair_request_offer
from .explanations import subject_of

ENTRIES = (PaletteEntry(PaletteGroup.ACTIONS, gettext_lazy("New link"), "link-new", "plus", Right.CREATE_LINK),)


def operations(reader: User, pasted: Pasted) -> Iterator[Found]:
    if not pasted.ids:
        return
    by_request = Q(request_id__in=pasted.ids) & ~Q(request_id="")
    made = visible_to(reader).filter(Q(pk__in=pasted.uuids) | by_request).with_names().order_by("-created_at", "-id")
    for each in made[:MOST_SHOWN]:
        subject = subject_of(each, see_names=may(reader, Right.SEE_NAMES))
        url, kind = each.get_absolute_url(), each.get_kind_display()
        if each.request_id in pasted.ids:
            provider = each.integration.provider_label
            yield (
                PaletteGroup.REQUESTS,
                Result(
                    f"{provider} {each.request_id}", url, "radio-tower", marked(f"{kind} · {subject}", each.integration)
                ),
            )
        else:
            yield (
                PaletteGroup.OPERATIONS,
                Result(f"{kind} · {subject}", url, "history", marked(each.state_label, each.integration)),
            )


def acts_on(reader: User, link: Link) -> Iterator[Result]:
    """Pages that start with a form: nothing is sent by opening one."""
    limits, recent = Limits.of(link.integration_id), RecentOperations.of(link)
    head = head_of(link, recent.latest, user=reader, budget=recent.budget, limits=limits)
    for button in (head.button, head.second):
        if button and button.url:
            yield Result(button.label, button.url, button.icon)
    asking = repair_request_offer(link, user=reader)
    if asking and not asking.why and asking.url not in head.urls:
        yield Result(str(asking.name), asking.url, asking.icon)
    yield Result(_("Full history"), reverse("link-history", args=[link.pk]), "history")
    if may(reader, Right.ORGANIZE_LINKS):
        yield Result(_("Add note"), reverse("link-notes", args=[link.pk]), "sticky-note")
