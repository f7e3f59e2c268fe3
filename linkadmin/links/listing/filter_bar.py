"""The form with which a list of links is filtered, its active filters, and institutions found by name."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.ids import as_uuid
from linkadmin.links.models import Institution
from linkadmin.paging import without_place
from linkadmin.providers.names import folded, isolated
from linkadmin.providers.types import HealthState
from linkadmin.web.flat_parts import GAP, fill_gaps, squeezed

from .counted import by_assignee
from .filters import (
    ATTENTION,
    CONSENT_ENDS,
    CUSTOMER,
    LAST_SYNC,
    MINE,
    NOBODY,
    OLDER,
    REVERSED,
    SINCE,
    STATE_LABELS,
    LinkFilter,
)
from .known import INTEGRATIONS, STAFF

SUGGESTED = 20  # institutions
FIELD_LABELS: Mapping[str, str | Promise] = {
    "state": gettext_lazy("Status"),
    "integration": gettext_lazy("Integration"),
    "institution": gettext_lazy("Institution"),
    "assigned": gettext_lazy("Assignee"),
    "older": gettext_lazy("In this status"),
    "consent": gettext_lazy("Consent"),
    "customer": gettext_lazy("Customer"),
    "unknown": gettext_lazy("Unrecognized value"),
    "sort": gettext_lazy("Sort by"),
}
SORT_LABELS: Mapping[str, str | Promise] = {
    ATTENTION: gettext_lazy("Most urgent first"),
    f"{REVERSED}{ATTENTION}": gettext_lazy("Least urgent first"),
    SINCE: gettext_lazy("Longest in status first"),
    f"{REVERSED}{SINCE}": gettext_lazy("Newest in status first"),
    LAST_SYNC: gettext_lazy("Oldest sync first"),
    f"{REVERSED}{LAST_SYNC}": gettext_lazy("Latest sync first"),
    CUSTOMER: gettext_lazy("Customer, A to Z"),
    f"{REVERSED}{CUSTOMER}": gettext_lazy("Customer, Z to A"),
}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FilterSelect:
    name: str
    label: str
    empty: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form depends on, as short as it is to compare: what is chosen, and what has a name."""

    states: tuple[str, ...]
    integration: UUID | None
    institution: UUID | None
    bank: str  # the institution, as it's shown
    assignee: str
    assignee_label: str
    older: int
    consent: int
    sort: str
    kept: tuple[tuple[str, str], ...]
    integrations: tuple[tuple[UUID, str], ...]
    staff: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True)
class FilterBar:
    states: tuple[Option, ...]
    state_label: str
    selects: tuple[FilterSelect, ...]
    bank: str
    institution: str
    kept: tuple[tuple[str, str], ...]


@lru_cache(maxsize=200)
def _drawn(choices: Choices, _language: str) -> str:
    """With gaps for the numbers of assignees' links, which change all the time."""
    bar = FilterBar(
        states=tuple(_options(_offered_states(choices.states), choices.states)),
        state_label=_state_label(choices.states),
        selects=tuple(_selects(choices)),
        bank=choices.bank,
        institution=str(choices.institution or ""),
        kept=choices.kept,
    )
    return squeezed(render_to_string("links/_filters.html", {"bar": bar}))


def draw(chosen: LinkFilter, *, reader: User, bank: str) -> str:
    """Markup of the form. `bank` is a name that wasn't found; the form shows it again."""
    institution, staff = chosen.institution, STAFF.all().items()
    choices = Choices(
        states=chosen.states,
        integration=chosen.integration.pk if chosen.integration else None,
        institution=institution.pk if institution else None,
        bank=bank or (label_of(institution) if institution else ""),
        assignee=chosen.assignee,
        assignee_label=_value_label(chosen, "assigned", chosen.assignee) if chosen.assignee else "",
        older=chosen.older,
        consent=chosen.consent,
        sort=chosen.sort,
        kept=tuple((name, value) for name, value in chosen.fields if name in ("customer", "unknown")),
        integrations=tuple((pk, each.name) for pk, each in INTEGRATIONS.all().items()),
        staff=tuple((pk, each.display_name) for pk, each in staff if may(each, Right.REFRESH) and pk != reader.pk),
    )
    assignees = [value for value, _label in _assignees(choices)]
    links = by_assignee(chosen, assignees, reader)
    numbers = ["" if (number := links.get(each)) is None else f" · {number}" for each in assignees]
    return fill_gaps(_drawn(choices, get_language()), numbers)


def _offered_states(chosen: Collection[str]) -> list[tuple[str, str | Promise]]:
    # Alone in a group of the same name.
    alone = HealthState.DISCONNECTED.value
    return [(state, label) for state, label in STATE_LABELS.items() if state != alone or state in chosen]


def pills(chosen: LinkFilter) -> list[tuple[str, str]]:
    """Each active filter, and the query string without it."""
    return [
        (f"{FIELD_LABELS[name]}: {isolated(_value_label(chosen, name, value))}", _without(chosen.query, name, value))
        for name, value in chosen.fields
    ]


def suggestions(text: str, integration: str = "") -> list[Institution]:
    """Institutions that a reader may mean, at most `SUGGESTED`; if one is called exactly that, only those."""
    name, _separator, listed_by = text.rpartition(" · ")
    found = Institution.objects.filter(search__contains=folded(name or text))
    if pk := as_uuid(integration):
        found = found.filter(integration=pk)
    if name:
        found = found.filter(integration__name=listed_by)
    similar = list(found.order_by("display_name", "pk")[:SUGGESTED])
    exact = [each for each in similar if folded(text) in (folded(each.display_name), folded(label_of(each)))]
    return exact or similar


def label_of(institution: Institution) -> str:
    # Several providers may list the same institution.
    listed_by = institution.integration_id
    return f"{institution.display_name} · {INTEGRATIONS.all(listed_by)[listed_by].name}"


def _selects(chosen: Choices) -> Iterator[FilterSelect]:
    integrations = [(str(pk), name) for pk, name in chosen.integrations]
    assignees = [(value, f"{label}{GAP}") for value, label in _assignees(chosen)]
    older = [(str(days), _older_label(days)) for days in OLDER]
    consent = [(str(days), _consent_label(days)) for days in CONSENT_ENDS]
    sorts = [(value, str(label)) for value, label in SORT_LABELS.items() if value != ATTENTION]
    yield _select("integration", _("Any integration"), integrations, str(chosen.integration or ""))
    yield _select("assigned", _("Anyone"), assignees, chosen.assignee)
    yield _select("older", _("Any length of time"), older, str(chosen.older))
    yield _select("consent", _("Any consent"), consent, str(chosen.consent))
    yield _select("sort", str(SORT_LABELS[ATTENTION]), sorts, chosen.sort)


def _assignees(chosen: Choices) -> list[tuple[str, str]]:
    whose = [(MINE, _("Mine")), (NOBODY, _("Unassigned")), *((str(pk), name) for pk, name in chosen.staff)]
    if chosen.assignee and chosen.assignee not in dict(whose):
        whose.append((chosen.assignee, chosen.assignee_label))
    return whose


def _select(name: str, empty: str, labels: Iterable[tuple[str, str]], value: str) -> FilterSelect:
    return FilterSelect(name, str(FIELD_LABELS[name]), empty, tuple(_options(labels, (value,))))


def _options(labels: Iterable[tuple[str, str | Promise]], chosen: tuple[str, ...]) -> Iterator[Option]:
    return (Option(value, str(label), value in chosen) for value, label in labels)


def _state_label(states: tuple[str, ...]) -> str:
    if not states:
        return _("Any status")
    if len(states) == 1:
        return str(STATE_LABELS[states[0]])
    return ngettext("%(count)d status", "%(count)d statuses", len(states)) % {"count": len(states)}


def _older_label(days: int) -> str:
    return ngettext("Over %(count)d day", "Over %(count)d days", days) % {"count": days}


def _consent_label(days: int) -> str:
    return ngettext("Ends within %(count)d day", "Ends within %(count)d days", days) % {"count": days}


def _value_label(chosen: LinkFilter, name: str, value: str) -> str:
    if name == "integration" and chosen.integration:
        return chosen.integration.name
    if name == "institution" and chosen.institution:
        return chosen.institution.display_name
    if name == "assigned":
        beside = {MINE: _("Mine"), NOBODY: _("Unassigned")}
        return beside.get(value) or STAFF.all()[UUID(value)].display_name
    if name == "older":
        return _older_label(chosen.older)
    if name == "consent":
        return _consent_label(chosen.consent)
    if name == "unknown" and chosen.unknown:
        return str(chosen.unknown)
    return str({**STATE_LABELS, **SORT_LABELS}.get(value, value))


def _without(query: QueryDict, name: str, value: str) -> str:
    rest = without_place(query)
    rest.setlist(name, [each for each in rest.getlist(name) if each != value] if name == "state" else [])
    return f"?{rest.urlencode()}"
