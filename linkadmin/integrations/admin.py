"""Read-only integrations in the Django admin, without keys: their own pages change them."""

from django.contrib import admin

from linkadmin.audit.admin import ReadOnlyAdmin

from .models import Integration


@admin.register(Integration)
class IntegrationAdmin(ReadOnlyAdmin):
    fields = (
        "whole_id",
        "provider",
        "name",
        "environment",
        "base_url",
        "options",
        "is_active",
        "key_state",
        "keys_rejected_at",
        "keys_retry_at",
        "tested_at",
        "test_detail",
        "institutions_read_at",
        "last_full_check_at",
        "created_at",
    )
    list_display = ("name", "provider", "environment", "base_url", "is_active", "key_state", "tested_at")
    list_filter = ("environment", "is_active", "key_state")
    ordering = ("name",)
    search_fields = ("name__startswith",)
