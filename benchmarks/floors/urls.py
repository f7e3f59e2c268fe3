"""The product's pages, and two floors: F0 answers nothing, F1 draws 50 rows of 9 cells that are in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import include, path
from django.views.decorators.http import require_safe

from linkadmin.accounts import roles

ROWS, CELLS = 50, 7  # and two dates a row
START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = Template(
    """<!doctype html><title>F1</title><table>
{% for row in rows %}<tr>{% for cell in row.cells %}<td>{{ cell }}</td>{% endfor %}
<td>{{ row.first|date:"Y-m-d H:i" }}</td><td>{{ row.last|date:"Y-m-d H:i" }}</td></tr>
{% endfor %}</table>"""
)
IN_MEMORY: list[dict[str, Any]] = [
    {
        "cells": [f"Row {n}, cell {cell}" for cell in range(CELLS)],
        "first": START + timedelta(hours=n),
        "last": START + timedelta(days=n),
    }
    for n in range(ROWS)
]


@require_safe
def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user.pk))


@require_safe
def table(request: HttpRequest) -> HttpResponse:
    return HttpResponse(TABLE.render(Context({"rows": IN_MEMORY})))


roles.URL_RIGHTS = {**roles.URL_RIGHTS, "floor-0": roles.Access.SIGNED_IN, "floor-1": roles.Access.SIGNED_IN}
urlpatterns = [
    path("floors/0/", nothing, name="floor-0"),
    path("floors/1/", table, name="floor-1"),
    path("", include("linkadmin.urls")),
]
