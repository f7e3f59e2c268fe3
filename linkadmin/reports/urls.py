from django.urls import path

from . import staff_limits, views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("staff/limits/", staff_limits.staff_limits, name="staff-limits"),
    path("staff/limits/live/", staff_limits.staff_limits_live, name="staff-limits-live"),
    path("staff/<uuid:pk>/limits/<slug:kind>/", staff_limits.staff_limit_lift, name="staff-limit-lift"),
]
