from django.urls import path

from . import live, note_views, views

urlpatterns = [
    path("live/", live.live, name="live"),
    path("links/", views.link_list, name="link-list"),
    path("links/<uuid:pk>/notes/", note_views.link_notes, name="link-notes"),
    path("links/<uuid:pk>/owner/", note_views.link_owner, name="link-owner"),
    path("end-users/", views.end_user_list, name="end-user-list"),
    path("end-users/<uuid:pk>/", views.end_user_detail, name="end-user-detail"),
]
