"""Addresses of what providers tell us."""

from django.urls import path

from .views import acceptance, deliveries, mailbox

urlpatterns = [
    # Without its last slash too: a redirect would lose the message. The one with it is the address that is shown.
    path("webhooks/<slug:provider>/<slug:path>", acceptance.webhook_delivery, name="webhook-delivery"),
    path("webhooks/<slug:provider>/<slug:path>/", acceptance.webhook_delivery, name="webhook-delivery"),
    path("activity/deliveries/", deliveries.delivery_list, name="delivery-list"),
    path("activity/deliveries/replay/", deliveries.delivery_replay_all, name="delivery-replay-all"),
    path("activity/deliveries/<uuid:pk>/", deliveries.delivery_detail, name="delivery-detail"),
    path("activity/deliveries/<uuid:pk>/replay/", deliveries.delivery_replay, name="delivery-replay"),
    path("integrations/<uuid:pk>/inbox/", mailbox.integration_inbox, name="integration-inbox"),
    path("integrations/<uuid:pk>/inbox/address/", mailbox.inbox_address, name="integration-inbox-address"),
    path("integrations/<uuid:pk>/inbox/secrets/", mailbox.secret_add, name="integration-inbox-secret-add"),
    path("integrations/<uuid:pk>/inbox/secrets/new/", mailbox.secret_make, name="integration-inbox-secret-make"),
    path(
        "integrations/<uuid:pk>/inbox/secrets/<uuid:secret>/retire/",
        mailbox.secret_retire,
        name="integration-inbox-secret-retire",
    ),
]
