"""The stock admin with links, as one writes it from the tutorial: nine columns, four filters, four searched fields."""

from django.contrib.admin import AdminSite, ModelAdmin
from django.urls import path

from linkadmin.links.models import Link


class Site(AdminSite):
    def has_permission(self, request: object) -> bool:
        return True


class LinkAdmin(ModelAdmin):  # type: ignore[type-arg]
    list_display = (
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
    list_filter = ("health", "integration", "assignee", "access_mode")
    search_fields = ("remote_id", "end_user__name", "end_user__external_id", "institution__display_name")
    list_select_related = ("end_user", "institution", "integration", "assignee")
    list_per_page = 50
    ordering = ("urgency", "health_since", "id")


site = Site()
site.register(Link, LinkAdmin)
urlpatterns = [path("admin/", site.urls)]
