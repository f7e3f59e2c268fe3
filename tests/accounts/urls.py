"""Every declared URL with a stub view, so that roles can be tested on each."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import timezone

from linkadmin.accounts.roles import URL_RIGHTS


def page(request: HttpRequest, **ids: str) -> HttpResponse:
    return HttpResponse(timezone.get_current_timezone_name())


def second_thoughts(request: HttpRequest, **ids: str) -> HttpResponse:
    raise PermissionDenied


OWN = [name for name in URL_RIGHTS if not name.startswith("account_") and name not in {"overview", "operation-decide"}]

urlpatterns = [
    path("", page, name="overview"),
    path("accounts/", include("linkadmin.accounts.urls")),
    path("admin/", admin.site.urls),
    path("undeclared/", page, name="nobody-thought-of-this"),
    path("operation-decide/", second_thoughts, name="operation-decide"),
    path("one/link-detail/<str:pk>/", page, name="link-detail"),
    *(path(f"{name}/", page, name=name) for name in OWN),
]
