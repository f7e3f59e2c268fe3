from django.urls import path

from .changes import PAGES
from .views import activity, change, code, create, link, live, operation

ABOUT_CUSTOMER, ABOUT_NONE = {"has_customer": True}, {"has_customer": False}

urlpatterns = [
    path("links/new/", create.link_new, name="link-new"),
    path("links/new/institutions/", create.institution_search, name="institution-search"),
    path("links/<uuid:pk>/", link.link_detail, name="link-detail"),
    path("links/<uuid:pk>/live/", live.link_live, name="link-live"),
    path("links/<uuid:pk>/history/", link.link_history, name="link-history"),
    path("links/<uuid:pk>/history/export/", link.link_history_export, name="link-history-export"),
    path("links/<uuid:pk>/refresh/", link.link_refresh, name="link-refresh"),
    path("links/<uuid:pk>/attempt/", operation.link_attempt, name="link-attempt"),
    path("links/<uuid:pk>/code/", code.link_code, name="link-code"),
    path("links/<uuid:pk>/code/<uuid:challenge>/picture/", code.link_code_picture, name="link-code-picture"),
    path("links/<uuid:pk>/code/withdraw/", code.link_code_withdraw, name="link-code-withdraw"),
    path("links/<uuid:pk>/code/cancel/", code.link_code_cancel, name="link-code-cancel"),
    *(
        path(f"links/<uuid:pk>/{slug}/", change.link_change, {"change": each}, name=f"link-{slug}")
        for slug, each in PAGES.items()
    ),
    path("operations/", activity.operation_list, name="operation-list"),
    path("operations/export/", activity.operation_list_export, name="operation-list-export"),
    path("integrations/operations/<uuid:pk>/", operation.operation_detail, ABOUT_NONE, name="integration-operation"),
    path("integrations/operations/<uuid:pk>/live/", live.operation_live, ABOUT_NONE, name="integration-operation-live"),
    path("operations/<uuid:pk>/live/", live.operation_live, ABOUT_CUSTOMER, name="operation-live"),
    path("operations/<uuid:pk>/", operation.operation_detail, ABOUT_CUSTOMER, name="operation-detail"),
    path("operations/<uuid:pk>/attempt/", operation.operation_attempt, name="operation-attempt"),
    path("operations/<uuid:pk>/check/", operation.operation_check, name="operation-check"),
    path("operations/<uuid:pk>/decide/", operation.operation_decide, name="operation-decide"),
]
