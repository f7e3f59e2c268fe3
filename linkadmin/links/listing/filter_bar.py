"""Filters of the list of links as menus, each option a link that applies it at once; and institutions found by name."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.models import EndUser, Institution
from linkadmin.links.queries import of_portfolio
from linkadmin.providers.names import folded
from linkadmin.providers.types import HealthState
from linkadmin.web.filter_menus import FilterMenu, MenuOption, render_menus
from linkadmin.web.flat_parts import GAP, fill_gaps

from .counted import by_assignee
from .filters import (
    CONSENT_ENDS,
    MINE,
    NOBODY,
    OLDER,
    STATE_LABELS,
    LinkFilter,
    sorting_of,
    url_of,
)
from .known import INTEGRATIONS, STAFF, integrations_in

SUGGESTED = 20  # institutions
MENU_LABELS: Mapping[str, str | Promise] = {
    "state": gettext_lazy("Status"),
    "institution": gettext_lazy("Institution"),
    "integration": gettext_lazy("Integration"),
    "assigned": gettext_lazy("Assignee"),
    "older": gettext_lazy("Older than"),
    "consent": gettext_lazy("Consent ends"),
    "customer": gettext_lazy("Customer"),
    "unknown": gettext_lazy("Unrecognized value"),
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the menus depend on: what is chosen, and what has a name."""

    fields: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]  # of chosen values that no menu lists
    typed: str  # an institution's name
    is_search: bool
    integrations: tuple[tuple[str, str], ...]
    staff: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]

    def value(self, name: str) -> str:
        return next(iter(self.values(name)), "")


@lru_cache(maxsize=200)
def _drawn(choices: Choices, _language: str) -> str:
    """With gaps for the numbers of assignees' links, which change all the time."""
    list_url = reverse("link-list")
    fields = [field for field in choices.fields if field[0] != "institution"]
    context = {"list_url": list_url, "typed": choices.typed, "fields": fields}
    typed = render_to_string("links/_institution_filter.html", context)
    return render_menus(list(_menus(choices)), list_url=list_url, is_search=choices.is_search, typed=typed)


def draw(chosen: LinkFilter, *, reader: User, typed: str, is_search: bool) -> str:
    """Markup of the menus. `typed` is an institution's name that wasn't found. In a search, options keep its words."""
    staff = [each for each in STAFF.all().values() if may(each, Right.REFRESH) and each.pk != reader.pk]
    choices = Choices(
        fields=tuple(chosen.fields),
        labels=tuple(_labels(chosen, reader)),
        typed=typed,
        is_search=is_search,
        integrations=tuple(
            (str(pk), each.name)
            for pk, each in integrations_in(chosen.environment).items()
            if not each.companion_of_id  # it has no links
        ),
        staff=tuple((str(each.pk), each.display_name) for each in staff),
    )
    assignees = [value for value, _label in _assignees(choices)]
    links = by_assignee(chosen, assignees, reader)
    numbers = ["" if (number := links.get(each)) is None else f" · {number}" for each in assignees]
    return fill_gaps(_drawn(choices, get_language()), numbers)


def suggestions(text: str, integrations: Iterable[UUID]) -> list[Institution]:
    """Institutions that a reader may mean, at most `SUGGESTED`; if one is called exactly that, only those."""
    name, _separator, listed_by = text.rpartition(" · ")
    found = Institution.objects.filter(search__contains=folded(name or text), integration__in=integrations)
    if name:
        found = found.filter(integration__name=listed_by)
    similar = list(found.order_by("display_name", "pk")[:SUGGESTED])
    exact = [each for each in similar if folded(text) in (folded(each.display_name), folded(label_of(each)))]
    return exact or similar


def label_of(institution: Institution) -> str:
    # Several providers may list the same institution.
    listed_by = institution.integration_id
    return f"{institution.display_name} · {INTEGRATIONS.all(listed_by)[listed_by].name}"


def _menus(chosen: Choices) -> Iterator[FilterMenu]:
    yield _states(chosen)
    if not chosen.is_search or chosen.value("institution"):
        yield _menu(chosen, "institution", {})
    yield _menu(chosen, "integration", dict(chosen.integrations))
    yield _menu(chosen, "assigned", dict(_assignees(chosen)), mark=GAP)
    yield _menu(chosen, "older", {str(days): _older_label(days) for days in OLDER})
    yield _menu(chosen, "consent", {str(days): _consent_label(days) for days in CONSENT_ENDS})
    for name in ("customer", "unknown"):
        if chosen.value(name):
            yield _menu(chosen, name, {})
    yield sorting_of(chosen.fields).menu()


def _states(chosen: Choices) -> FilterMenu:
    states = chosen.values("state")
    options = [
        MenuOption(str(label), url_of(chosen.fields, state=_toggled(states, state)), state in states)
        for state, label in _offered_states(states)
    ]
    label, clear_url = str(MENU_LABELS["state"]), _clear_url(chosen, "state")
    return FilterMenu("state", label, _state_label(states), tuple(options), clear_url, takes_several=True)


def _menu(chosen: Choices, name: str, labels: Mapping[str, str], *, mark: str = "") -> FilterMenu:
    """`mark` follows each option's label."""
    value = chosen.value(name)
    options = [
        MenuOption(f"{label}{mark}", url_of(chosen.fields, **{name: [each]}), each == value)
        for each, label in labels.items()
    ]
    shown = (labels.get(value) or dict(chosen.labels).get(name, "")) if value else ""
    is_typed = name == "institution"
    return FilterMenu(name, str(MENU_LABELS[name]), shown, tuple(options), _clear_url(chosen, name), is_typed=is_typed)


def _clear_url(chosen: Choices, name: str) -> str:
    return url_of(chosen.fields, **{name: ()}) if chosen.values(name) else ""


def _offered_states(chosen: Collection[str]) -> list[tuple[str, str | Promise]]:
    # Alone in a group of the same name.
    alone = HealthState.DISCONNECTED.value
    return [(state, label) for state, label in STATE_LABELS.items() if state != alone or state in chosen]


def _toggled(chosen: list[str], value: str) -> list[str]:
    return [each for each in chosen if each != value] if value in chosen else [*chosen, value]


def _assignees(chosen: Choices) -> list[tuple[str, str]]:
    whose = [(MINE, _("Mine")), (NOBODY, _("Unassigned")), *chosen.staff]
    if (assignee := chosen.value("assigned")) and assignee not in dict(whose):
        whose.append((assignee, dict(chosen.labels)["assigned"]))
    return whose


def _labels(chosen: LinkFilter, reader: User) -> Iterator[tuple[str, str]]:
    if chosen.institution:
        yield "institution", chosen.institution.display_name
    if chosen.assignee not in ("", MINE, NOBODY):
        yield "assigned", STAFF.all()[UUID(chosen.assignee)].display_name
    if chosen.customer:
        customers = EndUser.objects.filter(of_portfolio(reader), pk=chosen.customer)
        yield "customer", customers.values_list("external_id", flat=True).first() or str(chosen.customer)
    if chosen.unknown:
        yield "unknown", str(chosen.unknown)


def _state_label(states: list[str]) -> str:
    if not states:
        return ""
    if len(states) == 1:
        return str(STATE_LABELS[states[0]])
    return ngettext("%(count)d status", "%(count)d statuses", len(states)) % {"count": len(states)}


def _older_label(days: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _consent_label(days: int) -> str:
    return ngettext("within %(count)d day", "within %(count)d days", days) % {"count": days}
