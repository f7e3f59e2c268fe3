from django.urls import path

from .views import live, pages

urlpatterns = [
    path("live/", live.live, name="live"),
    path("links/", pages.link_list, name="link-list"),
    path("links/<uuid:pk>/notes/", pages.link_notes, name="link-notes"),
    path("links/<uuid:pk>/assignee/", pages.link_assignee, name="link-assignee"),
    path("customers/", pages.end_user_list, name="end-user-list"),
    path("customers/<uuid:pk>/", pages.end_user_detail, name="end-user-detail"),
]
