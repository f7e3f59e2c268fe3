"""Addresses of what providers tell us."""

from django.urls import path

from .views import acceptance, deliveries, endpoints

urlpatterns = [
    # Without its last slash too: a redirect would lose the message. The one with it is the address that is shown.
    path("webhooks/<slug:provider>/<slug:path>", acceptance.webhook_delivery, name="webhook-delivery"),
    path("webhooks/<slug:provider>/<slug:path>/", acceptance.webhook_delivery, name="webhook-delivery"),
    path("deliveries/", deliveries.delivery_list, name="delivery-list"),
    path("deliveries/reprocess/", deliveries.delivery_reprocess_all, name="delivery-reprocess-all"),
    path("deliveries/<uuid:pk>/", deliveries.delivery_detail, name="delivery-detail"),
    path("deliveries/<uuid:pk>/reprocess/", deliveries.delivery_reprocess, name="delivery-reprocess"),
    path("integrations/<uuid:pk>/endpoint/", endpoints.integration_endpoint, name="integration-endpoint"),
    path("integrations/<uuid:pk>/endpoint/url/", endpoints.endpoint_url, name="integration-endpoint-url"),
    path("integrations/<uuid:pk>/endpoint/secrets/", endpoints.secret_add, name="integration-endpoint-secret-add"),
    path(
        "integrations/<uuid:pk>/endpoint/secrets/new/", endpoints.secret_make, name="integration-endpoint-secret-make"
    ),
    path(
        "integrations/<uuid:pk>/endpoint/secrets/<uuid:secret>/revoke/",
        endpoints.secret_revoke,
        name="integration-endpoint-secret-revoke",
    ),
]
