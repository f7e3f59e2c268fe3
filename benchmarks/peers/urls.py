"""Two lists of links, each with nine columns, four filters and four searched fields, and a webhook view."""

import json

import django_filters
import django_tables2
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django_filters.views import FilterView
from django_tables2.views import SingleTableMixin

from .models import Delivery, Link

COLUMNS = (
    "remote_id",
    "end_user",
    "institution",
    "integration",
    "health",
    "cause",
    "health_since",
    "last_good_at",
    "assignee",
)
NAMED = ("end_user", "institution", "integration", "assignee")
SEARCHED = ("remote_id", "end_user__name", "end_user__external_id", "institution__display_name")


@admin.register(Link)
class LinkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = COLUMNS
    list_filter = ("health", "integration", "assignee", "health_since")
    search_fields = SEARCHED
    list_select_related = NAMED
    list_per_page = 50


class LinkFilter(django_filters.FilterSet):  # type: ignore[misc]
    q = django_filters.CharFilter(method="search")

    class Meta:
        model = Link
        fields = ("health", "integration", "institution", "assignee")

    def search(self, links: object, _name: str, words: str) -> object:
        return links.filter(Q.create([(f"{each}__icontains", words) for each in SEARCHED], Q.OR))  # type: ignore[attr-defined]


class LinkTable(django_tables2.Table):  # type: ignore[misc]
    class Meta:
        model = Link
        fields = COLUMNS


class LinkList(SingleTableMixin, FilterView):  # type: ignore[misc]
    queryset = Link.objects.select_related(*NAMED)
    table_class = LinkTable
    filterset_class = LinkFilter
    paginate_by = 50
    template_name = "peers/links.html"


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    Delivery.objects.create(payload=json.loads(request.body))
    return HttpResponse(status=202)


urlpatterns = [
    path("admin/", admin.site.urls),
    path("links/", LinkList.as_view()),
    path("webhook/", webhook),
]
