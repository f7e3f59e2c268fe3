from django.urls import path

from .views import lists, live, notes

urlpatterns = [
    path("live/", live.live, name="live"),
    path("links/", lists.link_list, name="link-list"),
    path("links/<uuid:pk>/notes/", notes.link_notes, name="link-notes"),
    path("links/<uuid:pk>/assignee/", notes.link_assignee, name="link-assignee"),
    path("customers/", lists.end_user_list, name="end-user-list"),
    path("customers/<uuid:pk>/", lists.end_user_detail, name="end-user-detail"),
]
