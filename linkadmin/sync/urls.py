from django.urls import path, register_converter
from django.urls.converters import StringConverter

from linkadmin.providers.http.answer import IDENTIFIER, MAX_IDENTIFIER

from .views import account, customers, full_checks, institutions, records, unknown


class RemoteIdConverter(StringConverter):
    """An ID from a provider; anything else is a 404."""

    regex = IDENTIFIER

    def to_python(self, value: str) -> str:
        if len(value) > MAX_IDENTIFIER:
            raise ValueError("longer than any id")
        return value


register_converter(RemoteIdConverter, "remote_id")

urlpatterns = [
    path("institutions/", institutions.institution_list, name="institution-list"),
    path("institutions/export/", institutions.institution_list_export, name="institution-list-export"),
    path("institutions/<uuid:pk>/", institutions.institution_detail, name="institution-detail"),
    path("institutions/<uuid:pk>/read/", institutions.institution_read, name="institution-read"),
    path("integrations/<uuid:pk>/institutions/", institutions.institution_lookup, name="institution-lookup"),
    path("integrations/<uuid:pk>/institutions/read/", institutions.institutions_read, name="institutions-read"),
    path("integrations/<uuid:pk>/records/connectors/", records.integration_connectors, name="integration-connectors"),
    path("integrations/<uuid:pk>/records/webhooks/", account.integration_webhooks, name="integration-webhooks"),
    path("integrations/<uuid:pk>/records/<slug:what>/", records.integration_records, name="integration-records"),
    path("integrations/<uuid:pk>/webhooks/add/", account.integration_webhook_add, name="integration-webhook-add"),
    path(
        "integrations/<uuid:pk>/webhooks/<remote_id:webhook>/switch/",
        account.integration_webhook_switch,
        name="integration-webhook-switch",
    ),
    path(
        "integrations/<uuid:pk>/webhooks/<remote_id:webhook>/end/",
        account.integration_webhook_remove,
        name="integration-webhook-remove",
    ),
    path("integrations/<uuid:pk>/reports/", account.integration_reports, name="integration-reports"),
    path("integrations/<uuid:pk>/full-checks/", full_checks.integration_full_checks, name="integration-full-checks"),
    path(
        "integrations/<uuid:pk>/full-checks/export/",
        full_checks.integration_full_checks_export,
        name="integration-full-checks-export",
    ),
    path("full-checks/<uuid:pk>/live/", full_checks.full_check_live, name="full-check-live"),
    path("full-checks/<uuid:pk>/", full_checks.full_check_detail, name="full-check-detail"),
    path("customers/<uuid:pk>/records/<uuid:integration>/", customers.end_user_records, name="end-user-records"),
    path("customers/<uuid:pk>/records/<uuid:integration>/tell/", customers.end_user_tell, name="end-user-tell"),
    path(
        "customers/<uuid:pk>/records/<uuid:integration>/sources/<remote_id:source>/",
        customers.data_source_switch,
        name="data-source-switch",
    ),
    path("links/<uuid:pk>/records/", customers.link_records, name="link-records"),
    path("unrecognized-values/", unknown.unknown_values, name="unrecognized-values"),
    path("unrecognized-values/export/", unknown.unknown_values_export, name="unrecognized-values-export"),
]
