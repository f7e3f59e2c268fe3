"""Lists of the Django admin: in one order, by key, so that nothing is counted."""

from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst

from linkadmin.paging import PLACES, Keyset


class KeysetChangeList(ChangeList):
    """Starts a page beside a row. The admin's order has to be unique, in one direction, and without nulls."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.title = capfirst(str(self.opts.verbose_name_plural))
        # Once for all rows: Django's tag would find out again for each link where it leads.
        self._filters_of_rows, self.preserved_filters = self.preserved_filters, ""

    def url_for_result(self, result: Any) -> str:
        url = super().url_for_result(result)
        return f"{url}?{self._filters_of_rows}" if self._filters_of_rows else url

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        self.params.pop(ORDER_VAR, None)
        return list(super().get_ordering(request, queryset))

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> "QuerySet[Any]":
        for name in PLACES:  # neither a filter nor kept when one changes
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        order = [str(column) for column in self.queryset.query.order_by]
        columns = dict.fromkeys(column.removeprefix("-") for column in order)
        keyset = Keyset(*columns, newest_first=order[0].startswith("-"), size=self.list_per_page)
        self.pager = keyset.page(self.queryset, request.GET)
        self.result_list = self.pager.rows
        self.result_count = self.full_result_count = len(self.pager.rows)
        self.multi_page = self.can_show_all = self.show_full_result_count = self.show_admin_actions = False
