"""Read-only bulk jobs in the Django admin, for auditors: who ran what on how many links, with results."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.admin import ReadOnlyAdmin
from linkadmin.links.admin import RelatedIds

from .models import BulkItem, BulkJob


@admin.register(BulkJob)
class BulkJobAdmin(ReadOnlyAdmin):
    id_fields = ("id",)
    fields = (
        "whole_id",
        "kind",
        "state",
        "actor",
        "assignee",
        "total",
        "done",
        "failed",
        "skipped",
        "created_at",
        "started_at",
        "finished_at",
        "paused_by",
    )
    list_display = ("created_at", "kind", "state", "actor", "total", "done", "failed", "skipped")
    list_filter = ("kind", "state", "created_at")
    list_select_related = ("actor",)
    ordering = ("-created_at", "-id")
    search_fields = ("actor__username__exact",)
    search_help_text = _("A job ID or a username.")


@admin.register(BulkItem)
class BulkItemAdmin(RelatedIds, ReadOnlyAdmin):
    id_fields = ("job_id", "link_id")
    fields = ("job", "id_of_link", "state", "why", "finished_at")
    list_display = ("job", "id_of_link", "state", "why", "finished_at")
    list_select_related = ("job",)
    ordering = ("-id",)
    search_fields = ("link__remote_id__exact",)
    search_help_text = _("A job ID or a link ID (ours or the provider's).")
