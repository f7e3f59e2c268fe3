"""What the palette finds of integrations."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.search.pasted import Pasted
from linkadmin.web.palette import Found, PaletteEntry, PaletteGroup, Result, has_words

from .models import Integration

ENTRIES = (
    PaletteEntry(
        PaletteGroup.ACTIONS,
        gettext_lazy("Add integration"),
        "integration-new",
        "plus",
        Right.MANAGE_INTEGRATIONS,
    ),
)


def integrations(reader: User, pasted: Pasted) -> Iterator[Found]:
    if pasted.is_empty or not may(reader, Right.VIEW_INTEGRATIONS):
        return
    for each in Integration.objects.order_by("name"):
        if each.pk in pasted.uuids or (pasted.words and has_words(each.name, pasted.words)):
            yield PaletteGroup.PAGES, Result(each.name, each.get_absolute_url(), "plug", note=_("Integration"))
