from django.urls import path

from . import views
from .setup import views as setup

urlpatterns = [
    path("integrations/", views.integration_list, name="integration-list"),
    path("integrations/new/", setup.integration_new, name="integration-new"),
    path("integrations/<uuid:pk>/", views.integration_detail, name="integration-detail"),
    path("integrations/<uuid:pk>/edit/", setup.integration_edit, name="integration-edit"),
    path("integrations/<uuid:pk>/test/", views.integration_test, name="integration-test"),
]
