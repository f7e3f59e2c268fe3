"""Where a provider's messages leave the way that people's pages go."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from .views.acceptance import webhook_delivery

GetResponse = Callable[[HttpRequest], HttpResponse]

PREFIX = "/webhooks/"


def messages_first(get_response: GetResponse) -> GetResponse:
    """Answer a provider's message before anything looks for a session, a person, a token or a right.

    A provider has none of them: the message proves itself. So nothing of a stranger's cookie is read either, and a
    message costs what keeping it costs.
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
