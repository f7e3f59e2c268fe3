from django.urls import path

from .views import customers, link_list, live, pages

urlpatterns = [
    path("live/", live.live, name="live"),
    path("links/", link_list.link_list, name="link-list"),
    path("links/export/", link_list.link_list_export, name="link-list-export"),
    path("links/live/", link_list.link_list_live, name="link-list-live"),
    path("links/institutions/", link_list.institution_options, name="link-institutions"),
    path("links/<uuid:pk>/notes/", pages.link_notes, name="link-notes"),
    path("links/<uuid:pk>/assignee/", pages.link_assignee, name="link-assignee"),
    path("customers/", customers.end_user_list, name="end-user-list"),
    path("customers/live/", customers.end_user_list_live, name="end-user-list-live"),
    path("customers/export/", customers.end_user_list_export, name="end-user-list-export"),
    path("customers/<uuid:pk>/", customers.end_user_detail, name="end-user-detail"),
    path("customers/<uuid:pk>/name/", customers.end_user_name, name="end-user-name"),
    path("customers/<uuid:pk>/contact/", customers.end_user_contact, name="end-user-contact"),
    path("customers/<uuid:pk>/account-manager/", customers.end_user_account_manager, name="end-user-account-manager"),
]
