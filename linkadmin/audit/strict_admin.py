"""What a page of the Django admin takes from its address: Django would search by any column of any table."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import DateField, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

COUNT_LIMIT = 10_000  # rows; to see more, narrow the list
SEARCH_LENGTH, SEARCH_WORDS = 200, 10


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Count no further than COUNT_LIMIT, so that a page does not grow slower with the table."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[:COUNT_LIMIT].count()


class StrictChangeList(ChangeList):
    """A list that sorts by what its page offers to sort by."""

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        offered = [str(number) for number, name in enumerate(self.list_display) if name in (self.sortable_by or ())]
        asked = self.params.pop(ORDER_VAR, "").split(".")
        kept = [part for part in dict.fromkeys(asked) if part.removeprefix("-") in offered]
        if kept:
            self.params[ORDER_VAR] = ".".join(kept)
        return list(super().get_ordering(request, queryset))


class StrictAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The base of all our admins: filters as declared, a short search, no counts of whole tables."""

    list_max_show_all = list_per_page = 50
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow what a filter of this list sends, by its whole name: no other column, and no other comparison."""
        return lookup in self._offered_lookups()

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Find rows by their id alone."""
        return to_field == self.opts.pk.name

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StrictChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        words = request.GET.get(SEARCH_VAR, "")
        if len(words) > SEARCH_LENGTH or len(words.split()) > SEARCH_WORDS:
            raise BadRequest("a search that is too long")
        return super().changelist_view(request, extra_context)

    def _offered_lookups(self) -> set[str]:
        offered: set[str] = set()
        for each in self.list_filter:
            if not isinstance(each, str):
                offered.add(str(getattr(each, "parameter_name")))  # noqa: B009 - Django's types know less of a filter
                continue
            field = self.model._meta.get_field(each)
            key = [each, field.target_field.name] if field.is_relation else [each]
            kinds = ("gte", "lt") if isinstance(field, DateField) else ("exact",)
            offered |= {each, LOOKUP_SEP.join([each, "isnull"])} | {LOOKUP_SEP.join([*key, kind]) for kind in kinds}
        return offered
