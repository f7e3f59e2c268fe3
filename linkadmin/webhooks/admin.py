"""Deliveries and signing secrets in the Django admin, read-only, without payloads and secret values."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.admin import ReadOnlyAdmin

from .models import WebhookDelivery, WebhookSecret
from .queries import ID_COLUMNS, search


class DeliveryOutcomeFilter(admin.ChoicesFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        found: Any = super().queryset(request, queryset)
        # The index of outcomes has only rows with one, and SQLite uses it only if the query says so.
        return found.exclude(outcome="") if any(self.lookup_val or ()) else found


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    fields = (
        "whole_id",
        "integration",
        "received_at",
        "copies",
        "topic",
        "kind",
        "remote_link_id",
        "end_user_id",
        "consent_id",
        "request_id",
        "remote_created_at",
        "state",
        "outcome",
        "processed_at",
        "reprocess_count",
        "reprocessed_by",
    )
    readonly_fields = fields
    list_display = ("received_at", "topic", "integration", "remote_link_id", "end_user_id", "state", "outcome")
    list_filter = ("state", ("outcome", DeliveryOutcomeFilter), "integration")
    list_select_related = ("integration",)
    ordering = ("-id",)
    search_fields = ID_COLUMNS
    search_help_text = _("Any ID, or a topic")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return search(queryset, words) if (words := search_term.strip()) else queryset, False


@admin.register(WebhookSecret)
class WebhookSecretAdmin(ReadOnlyAdmin):
    fields = ("integration", "fingerprint", "version", "created_at", "created_by", "revoked_at")
    readonly_fields = fields
    list_display = fields
    list_select_related = ("integration", "created_by")
    ordering = ("-created_at", "-id")
