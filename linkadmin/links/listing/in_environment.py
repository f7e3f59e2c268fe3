"""Filters of lists of what integrations have, in one environment."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.ids import as_uuid
from linkadmin.paging import Part

from .known import INTEGRATIONS, environment_of, environments, integrations_in
from .narrowing import is_one_of


class EnvironmentFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Finds rows of the reader's environment, or of another one's integration if that's chosen."""

    integration = django_filters.ChoiceFilter(label=_("Integration"), choices=())

    def __init__(self, query: QueryDict, queryset: "QuerySet[Any]", *, reader: User) -> None:
        super().__init__(query, queryset=queryset)
        pk = as_uuid(query.get("integration", ""))
        named = INTEGRATIONS.all(pk).get(pk) if pk else None
        self.environment = named.environment if named else environment_of(reader)
        self._integrations = integrations_in(self.environment)
        choices = [(str(pk), each.name) for pk, each in self._integrations.items()]
        self.filters["integration"].extra["choices"] = choices

    @property
    def here(self) -> Q:
        """A condition that no index is chosen for."""
        return Q() if self._is_implied else is_one_of("integration", list(self._integrations))

    @property
    def elsewhere(self) -> list[UUID]:
        """Integrations of the other environment."""
        return [pk for pk in INTEGRATIONS.all() if pk not in self._integrations]

    @property
    def parts(self) -> list[Part]:
        """The rows of each integration, for lists that have an index of these in their order."""
        if self._is_implied:
            return []
        if any(value for name, value in self.form.cleaned_data.items() if name != "integration"):
            return [Part(self.here)]
        return [Part(Q(integration=pk)) for pk in self._integrations]

    @property
    def _is_implied(self) -> bool:
        return bool(self.form.cleaned_data["integration"]) or len(environments()) < 2
