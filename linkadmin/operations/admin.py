"""Read-only operations in the Django admin, for auditors: who requested what, and the outcome."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.admin import ReadOnlyAdmin
from linkadmin.links.admin import MaskedNames, RelatedIds

from .models import AttemptAllowance, Operation


@admin.register(Operation)
class OperationAdmin(RelatedIds, MaskedNames, ReadOnlyAdmin):
    id_fields = ("id", "link_id")
    fields = (
        "whole_id",
        "kind",
        "state",
        "outcome",
        "customer",
        "id_of_link",
        "integration",
        "institution",
        "natural_key",
        "actor",
        "parent",
        "created_at",
        "sent_at",
        "finished_at",
        "duration_ms",
        "http_status",
        "code",
        "words",
        "request_id",
        "asked_again",
        "counts_as_attempt",
        "decided_by",
        "note",
    )
    list_display = (
        "created_at",
        "kind",
        "state",
        "actor",
        "customer",
        "integration",
        "http_status",
        "code",
        "request_id",
    )
    list_filter = ("kind", "state", "integration", "created_at")
    list_select_related = ("actor", "end_user", "integration")
    ordering = ("-created_at", "-id")
    search_fields = (
        "request_id__exact",
        "link__remote_id__exact",
        "end_user__external_id__exact",
        "actor__username__exact",
    )
    search_help_text = _("An operation, request, link, or customer ID, or a username.")


@admin.register(AttemptAllowance)
class AttemptAllowanceAdmin(RelatedIds, ReadOnlyAdmin):
    fields = ("allowed_at", "allowed_by", "reason", "id_of_link", "id_of_operation")
    list_display = ("allowed_at", "allowed_by", "reason", "id_of_link", "id_of_operation")
    list_select_related = ("allowed_by",)
    ordering = ("-allowed_at", "-id")
