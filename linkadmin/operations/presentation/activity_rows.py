"""Rows of the Activity page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.exports import time_cell
from linkadmin.links.listing.known import INSTITUTIONS, INTEGRATIONS, STAFF
from linkadmin.links.listing.marks import sandbox_mark
from linkadmin.operations.models import Operation, State
from linkadmin.operations.timeline.entries import LOOKS
from linkadmin.timestamps import ago, duration_words
from linkadmin.web.badges import StateBadge, draw_state
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.sorting import Head

EXPORTED = (
    *(gettext_lazy("Change"), gettext_lazy("Customer"), gettext_lazy("Customer ID"), gettext_lazy("Institution")),
    *(gettext_lazy("Integration"), gettext_lazy("Outcome"), gettext_lazy("Provider code"), gettext_lazy("Person")),
    *(gettext_lazy("Seconds"), gettext_lazy("Created"), gettext_lazy("Request ID"), gettext_lazy("Operation ID")),
)
_ROW = FlatPart("operations/_activity_row.html")


def heads() -> list[Head]:
    return [
        Head(_("Change")),
        Head(_("Customer")),
        Head(_("Outcome")),
        Head(_("Person"), "table__person"),
        Head(_("Duration"), "table__extra num"),
        Head(_("Time"), "table__time", order="time", falls=True),
    ]


def draw_rows(texts: Iterable[Mapping[str, object]]) -> str:
    """Markup of table rows; empty without any."""
    return _ROW.fill(texts)


def rows(operations: Sequence[Operation], *, see_names: bool) -> Iterator[dict[str, object]]:
    """What table rows show."""
    for each, texts in _texts(operations, see_names=see_names):
        yield {
            **texts,
            "url": each.get_absolute_url(),
            "outcome": draw_state(_badge(each)),
            "code": each.code,
            "took": duration_words(each.duration),
            "created": ago(each.created_at),
        }


def cells(operations: Sequence[Operation], *, see_names: bool) -> Iterator[tuple[str, ...]]:
    """What an export has of each operation."""
    for each, texts in _texts(operations, see_names=see_names):
        seconds = "" if each.duration_ms is None else str(each.duration_ms / 1000)
        yield (
            *(texts["kind"], texts["customer"], each.customer_id, texts["bank"], texts["integration"]),
            *(each.state_label, each.code, texts["person"], seconds, time_cell(each.created_at)),
            *(each.request_id, str(each.pk)),
        )


def _texts(operations: Sequence[Operation], *, see_names: bool) -> Iterator[tuple[Operation, dict[str, str]]]:
    staff = STAFF.all(*{each.actor_id for each in operations})
    integrations = INTEGRATIONS.all(*{each.integration_id for each in operations})
    banks = INSTITUTIONS.some(each.institution_id for each in operations)
    for each in operations:
        bank = banks.get(each.institution_id) if each.institution_id else None
        integration = integrations[each.integration_id]
        yield (
            each,
            {
                "kind": str(each.get_kind_display()),
                "integration": integration.name,
                "sandbox": sandbox_mark(integration),
                "customer": each.end_user.called(see_names=see_names) if each.end_user else "",
                "bank": bank.display_name if bank else "",
                "person": staff[each.actor_id].display_name,
            },
        )


def _badge(operation: Operation) -> StateBadge:
    tone, icon = LOOKS.get(State(operation.state), ("quiet", "circle-slash"))
    return StateBadge(tone, icon, operation.state_label)
