"""Institutions: filters of the list, and how many of our links each has."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.compiled_query import CompiledQuery
from linkadmin.providers.types import BY_CONSENT, INSTITUTION_DOWN, MAY_ASK_FOR_CODE, HealthState
from linkadmin.web.sorting import Order

from . import counts
from .causes import Group
from .listing.in_environment import EnvironmentFilterSet
from .models import Institution, Link, values_of
from .queries import active

ORDERS = {  # each with an index
    "name": Order((_("name, A to Z"), _("name, Z to A")), ("display_name", "id")),
    "country": Order((_("country, A to Z"), _("country, Z to A")), ("country", "display_name", "id")),
    "type": Order((_("type, A to Z"), _("type, Z to A")), ("kind", "display_name", "id")),
    "status": Order((_("status, A to Z"), _("status, Z to A")), ("status", "display_name", "id")),
    "links": Order(
        (_("most links first"), _("fewest links first")), ("active_links", "display_name", "id"), falls=True
    ),
}
NEED_SOMEBODY = [state.value for group in (Group.CUSTOMER, Group.US) for state in group.states]
WAITING, ENDED = HealthState.WAITING.value, HealthState.DISCONNECTED.value
TROUBLE_SHOWN = 8
TROUBLE_LINKS = 2  # this many waiting links make it an issue of the bank

# What values in an institution list mean to staff. Others are shown as received.
WORDS: Mapping[str, Promise] = {
    "bank": _("Bank"),
    "fiscal": _("Tax authority"),
    "employment": _("Employer"),
    "healthy": _("Working"),
    INSTITUTION_DOWN: _("Down"),
    "credentials": _("Username and password"),
    MAY_ASK_FOR_CODE: _("May require a code"),
    **dict.fromkeys(BY_CONSENT, _("Open finance")),
}


def word(text: str) -> str:
    return str(WORDS.get(text, text))


def _values_of(column: str) -> list[tuple[str, str]]:
    return [(value, word(value)) for value in values_of(column)]


# Not in the provider's list when it was last read in full.
UNLISTED = Q(read_at__lt=F("integration__institutions_read_at"))


class InstitutionFilter(EnvironmentFilterSet):
    country = django_filters.ChoiceFilter(choices=lambda: _values_of("country"), label=_("Country"))
    kind = django_filters.ChoiceFilter(choices=lambda: _values_of("kind"), label=_("Type"))
    status = django_filters.ChoiceFilter(choices=lambda: _values_of("status"), label=_("Status"))
    access = django_filters.ChoiceFilter(
        field_name="integration_type", choices=lambda: _values_of("integration_type"), label=_("Access")
    )
    code = django_filters.ChoiceFilter(
        method="of_code",
        label=_("One-time code"),
        choices=[("yes", _("May require a code")), ("no", _("No code required"))],
    )
    listed = django_filters.ChoiceFilter(
        method=lambda institutions, _name, _value: institutions.filter(UNLISTED),
        label=_("Institution list"),
        choices=[("no", _("No longer listed"))],
    )

    ours = django_filters.ChoiceFilter(
        method=lambda institutions, _name, _value: without_links(institutions),
        label=_("Our links"),
        choices=[("no", _("Without links"))],
    )

    class Meta:
        model = Institution
        fields = ["integration", "country", "kind", "status", "access", "code", "listed", "ours"]

    def of_code(self, institutions: "QuerySet[Institution]", _name: str, value: str) -> "QuerySet[Institution]":
        asks = Q(features_text__contains=f'"{MAY_ASK_FOR_CODE}"')
        with_text: QuerySet[Institution] = institutions.annotate(features_text=Cast("features", TextField()))
        return with_text.filter(asks if value == "yes" else ~asks)


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """Our active links at one institution."""

    links: int = 0
    trouble: int = 0  # waiting on a customer or us
    waiting: int = 0  # on the bank


@dataclass(frozen=True, slots=True)
class KnownProblems:
    """Institutions with links that are down or have several waiting links, the worst first."""

    institutions: list[tuple[Institution, LinkCounts]]
    more_down: int  # without links


def link_counts(institutions: Iterable[Institution]) -> dict[UUID, LinkCounts]:
    return _counted({each.pk for each in institutions})


def known_problems(environment: str) -> KnownProblems:
    down = {UUID(str(pk)) for (pk,) in _DOWN.rows(environment)}
    waiting = counts.most_waiting(TROUBLE_SHOWN, environment, at_least=TROUBLE_LINKS)
    ours = {pk: found for pk, found in _counted(down | waiting.keys()).items() if found.links}
    worst = sorted(ours, key=lambda pk: (-ours[pk].waiting, -ours[pk].links, pk))[:TROUBLE_SHOWN]
    shown = _WORST.instances(*worst, *worst[:1] * (TROUBLE_SHOWN - len(worst))) if worst else []
    by_id = {each.pk: each for each in shown}
    return KnownProblems([(by_id[pk], ours[pk]) for pk in worst if pk in by_id], more_down=len(down - ours.keys()))


def without_links(institutions: "QuerySet[Institution]") -> "QuerySet[Institution]":
    return institutions.exclude(Exists(active(Link.objects.filter(institution=OuterRef("pk")))))


def listed(institutions: "QuerySet[Institution]") -> "QuerySet[Institution]":
    return institutions.exclude(UNLISTED)


def _counted(institutions: Collection[UUID]) -> dict[UUID, LinkCounts]:
    return {pk: _link_counts(by_state) for pk, by_state in counts.by_institution(institutions).items()}


def _link_counts(by_state: Counter[str]) -> LinkCounts:
    trouble = sum(by_state[state] for state in NEED_SOMEBODY)
    return LinkCounts(by_state.total() - by_state[ENDED], trouble, by_state[WAITING])


def _worst(*institutions: UUID) -> "QuerySet[Institution]":
    return Institution.objects.filter(pk__in=institutions).select_related("integration").order_by()


def _down(environment: str) -> "QuerySet[Any]":
    here = Institution.objects.filter(status=INSTITUTION_DOWN, integration__environment=environment)
    return here.values_list("pk")


_DOWN = CompiledQuery(_down, types=(str,))
_WORST = CompiledQuery(_worst, types=(UUID,) * TROUBLE_SHOWN)
