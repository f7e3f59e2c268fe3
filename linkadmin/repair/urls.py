"""What customers open, and how staff send it. With webhooks, `repair/` is all that the internet may reach."""

from django.urls import path

from .views import customer, staff

urlpatterns = [
    path("repair/", customer.visit, name="repair-visit"),
    path("repair/done/", customer.repair_done, name="repair-done"),
    path("repair/back/", customer.repair_back, name="repair-back"),
    path("repair/left/", customer.repair_left, name="repair-left"),
    path("repair/logo/", customer.repair_logo, name="repair-logo"),
    path("repair/<str:token>/", customer.repair_request, name="repair-request"),
    path("links/<uuid:pk>/repair-request/", staff.link_repair_request, name="link-repair-request"),
    path(
        "links/<uuid:pk>/repair-request/revoke/",
        staff.link_repair_request_revoke,
        name="link-repair-request-revoke",
    ),
]
