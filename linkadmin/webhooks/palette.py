"""What the palette finds of deliveries: by their own ID, and the request and consent IDs they name."""

from collections.abc import Iterator

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.listing.marks import marked
from linkadmin.search.pasted import Pasted
from linkadmin.timestamps import exact_words
from linkadmin.web.palette import MOST_SHOWN, Found, PaletteGroup, Result

from .presentation import IN_ROWS, outcome_badge
from .queries import by_ids


def deliveries(reader: User, pasted: Pasted) -> Iterator[Found]:
    if not pasted.ids or not may(reader, Right.VIEW_ALL_DELIVERIES):
        return
    found = by_ids(pasted.ids).select_related("integration").only(*IN_ROWS)
    for each in found.order_by("-pk")[:MOST_SHOWN]:
        outcome = outcome_badge(each)
        label = f"{each.topic or each.pk} · {each.integration.name}"
        note = f"{outcome.label} · {exact_words(each.received_at)}"
        shown = marked(note, each.integration)
        yield PaletteGroup.DELIVERIES, Result(label, each.get_absolute_url(), "webhook", shown)
