"""URLs of bulk jobs."""

from django.urls import path

from . import views
from .models import JobKind

urlpatterns = [
    path("bulk/", views.job_list, name="bulk-list"),
    path("bulk/export/", views.job_list_export, name="bulk-list-export"),
    path("bulk/count/", views.result_count, name="bulk-count"),
    path("bulk/refresh/", views.job_plan, {"kind": JobKind.CHECK_STATUS}, name="bulk-refresh"),
    path("bulk/assignee/", views.job_plan, {"kind": JobKind.ASSIGN}, name="bulk-assign"),
    path("bulk/note/", views.job_plan, {"kind": JobKind.NOTE}, name="bulk-note"),
    path("bulk/<uuid:pk>/live/", views.job_live, name="bulk-live"),
    path("bulk/<uuid:pk>/export/", views.job_export, name="bulk-detail-export"),
    path("bulk/<uuid:pk>/", views.job_detail, name="bulk-detail"),
]
