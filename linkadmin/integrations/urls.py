from django.urls import path

from . import views

urlpatterns = [
    path("integrations/", views.integration_list, name="integration-list"),
    path("integrations/<uuid:pk>/", views.integration_detail, name="integration-detail"),
    path("integrations/<uuid:pk>/test/", views.integration_test, name="integration-test"),
]
