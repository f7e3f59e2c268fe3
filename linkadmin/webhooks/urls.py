"""URLs of deliveries and webhook endpoints."""

from django.urls import path

from .views import deliveries, endpoints

urlpatterns = [
    path("deliveries/", deliveries.delivery_list, name="delivery-list"),
    path("deliveries/export/", deliveries.delivery_list_export, name="delivery-list-export"),
    path("deliveries/reprocess/", deliveries.delivery_reprocess_all, name="delivery-reprocess-all"),
    path("deliveries/<uuid:pk>/", deliveries.delivery_detail, name="delivery-detail"),
    path("deliveries/<uuid:pk>/reprocess/", deliveries.delivery_reprocess, name="delivery-reprocess"),
    path("integrations/<uuid:pk>/endpoint/", endpoints.integration_endpoint, name="integration-endpoint"),
    path("integrations/<uuid:pk>/endpoint/url/", endpoints.endpoint_url, name="integration-endpoint-url"),
    path("integrations/<uuid:pk>/endpoint/secrets/", endpoints.secret_add, name="integration-endpoint-secret-add"),
    path(
        "integrations/<uuid:pk>/endpoint/secrets/new/",
        endpoints.secret_generate,
        name="integration-endpoint-secret-make",
    ),
    path(
        "integrations/<uuid:pk>/endpoint/secrets/<uuid:secret>/revoke/",
        endpoints.secret_revoke,
        name="integration-endpoint-secret-revoke",
    ),
]
