"""Read-only records in the Django admin. Names are masked for those who may not see them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import Environment
from linkadmin.audit.admin import SHORT_ID, ReadOnlyAdmin, copyable
from linkadmin.web.pages import reader

from .listing.known import environment_of
from .models import EndUser, HealthChange, Institution, Link, values_of
from .presentation import badge
from .search import search_institutions


class RelatedIds:
    """Columns with the IDs of related records, without a query for each row."""

    @admin.display(description=_("link ID"))
    def id_of_link(self, row: Any) -> Any:
        return copyable(row.link_id)

    @admin.display(description=_("operation ID"))
    def id_of_operation(self, row: Any) -> Any:
        return copyable(row.operation_id)


class MaskedNames:
    """Shows customers by initials: auditors check actions and need no names."""

    @admin.display(description=_("customer"))
    def customer(self, row: Any) -> str | None:
        customer = getattr(row, "end_user", row)
        return None if customer is None else str(customer)


@admin.register(EndUser)
class EndUserAdmin(MaskedNames, ReadOnlyAdmin):
    id_fields = ("id",)
    fields = ("whole_id", "external_id", "customer", "created_at")
    list_display = ("external_id", "customer", "created_at")
    ordering = ("external_id",)
    search_fields = ("external_id__startswith",)
    search_help_text = _("The first characters of a customer ID.")


class ListedValues(admin.AllValuesFieldListFilter):
    """Offers a column's values without reading all rows for them."""

    def __init__(self, field: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, *args, **kwargs)
        self.lookup_choices: Any = values_of(field.name)


@admin.register(Institution)
class InstitutionAdmin(ReadOnlyAdmin):
    list_display = ("display_name", "name", "integration", "country", "status", "read_at")
    list_filter = ("integration", ("status", ListedValues), ("country", ListedValues))
    list_select_related = ("integration",)
    ordering = ("display_name", "id")
    search_fields = ("search",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return search_institutions(search_term, queryset), False


class EnvironmentFilter(admin.SimpleListFilter):
    """Lists one environment: first that of the reader's other pages. A search finds links of both."""

    title = _("environment")
    parameter_name = "environment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        self._usual = None if request.GET.get(SEARCH_VAR) else environment_of(reader(request))
        return Environment.choices

    def value(self) -> str | None:
        asked = super().value()
        return asked if asked in Environment.values else self._usual

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        return islice(super().choices(changelist), 1, None)  # without "All"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(environment=self.value()) if self.value() else queryset


@admin.register(Link)
class LinkAdmin(MaskedNames, ReadOnlyAdmin):
    id_fields = ("id",)
    fields = (
        "whole_id",
        "customer",
        "institution",
        "integration",
        "environment",
        "remote_id",
        "health",
        "cause",
        "health_since",
        "raw_status",
        "raw_code",
        "raw_words",
        "last_good_at",
        "checked_at",
        "verifying_since",
        "created_at",
        "disconnected_at",
    )
    list_display = (
        "short_id",
        "customer",
        "institution",
        "integration",
        "environment",
        "state",
        "health_since",
        "last_good_at",
    )
    list_filter = (EnvironmentFilter, "health", "integration")
    list_select_related = ("end_user", "institution", "integration")
    ordering = ("urgency", "health_since", "id")
    search_fields = ("remote_id__exact", "end_user__external_id__exact")
    search_help_text = _("A link ID (ours or the provider's) or a customer ID.")

    @admin.display(description=_("ID"))
    def short_id(self, link: Link) -> str:
        return str(link.pk)[:SHORT_ID]

    @admin.display(description=_("status"))
    def state(self, link: Link) -> str:
        return badge(link).label


@admin.register(HealthChange)
class HealthChangeAdmin(RelatedIds, ReadOnlyAdmin):
    id_fields = ("link_id", "operation_id")
    fields = (
        "at",
        "id_of_link",
        "source",
        "old",
        "new",
        "cause",
        "raw_status",
        "raw_code",
        "raw_words",
        "id_of_operation",
    )
    list_display = ("at", "id_of_link", "old", "new", "cause", "source", "raw_status", "raw_code")
    list_filter = ("new",)  # others would read the whole table
    ordering = ("-id",)
    search_fields = ("link__remote_id__exact",)
    search_help_text = _("A link ID (ours or the provider's) or an operation ID.")
