"""Handles webhook deliveries before sessions, authentication and CSRF."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from .views.acceptance import webhook_delivery

GetResponse = Callable[[HttpRequest], HttpResponse]

PREFIX = "/webhooks/"


def deliveries_first(get_response: GetResponse) -> GetResponse:
    """Answer a delivery before anything looks for a session, user, CSRF token or permission.

    A provider has none of them: the delivery is signed. So no cookie is read, and a delivery costs only its insert.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return get_response(request)
        if match.func is not webhook_delivery:
            return get_response(request)
        request.resolver_match = match
        return webhook_delivery(request, **match.kwargs)

    return middleware
