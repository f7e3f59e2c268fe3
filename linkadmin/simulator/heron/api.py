"""Heron: routes and authentication."""

from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, Route, dispatch, json_reply

from . import account, bodies, end_users, links

API_KEY = "key_sandbox"
PREFIXES = ("/api/hello_world", "/api/integration", "/api/end_users", "/api/data_sources", "/api/webhooks")


ERRORS = {
    404: "The requested URL was not found on the server.",
    401: "Missing or invalid API key",
    405: "The method is not allowed for the requested URL.",
}


def respond(store: Store, request: Request) -> Reply:
    """Raises ConnectionCut."""
    has_key = request.headers.get("x-api-key") == API_KEY
    return dispatch(store, request, ROUTES, lambda status: bodies.envelope_of(status, ERRORS[status]), has_key=has_key)


def _hello(store: Store, request: Request) -> Reply:
    return json_reply(200, {"hello": "world"})


_LINKS = "/api/integrations/(?P<integration>[^/]+)/links"
_USER = "/api/end_users/(?P<user>[^/]+)"
ROUTES = (
    Route("/api/hello_world", {"GET": _hello}, open=True),
    Route("/api/hello_world/authenticated", {"GET": _hello}),
    Route("/api/integrations", {"GET": account.list_integrations, "POST": account.create_integration}),
    Route("/api/integrations/(?P<integration>[^/]+)", {"PUT": account.change_integration}),
    Route(
        _LINKS,
        {
            "GET": links.list_of_integration,
            "POST": links.create,
            "PUT": links.regenerate_reports,
            "DELETE": links.switch_off,
        },
    ),
    Route(f"{_LINKS}/(?P<item>[^/]+)/refresh", {"POST": links.refresh}),
    Route("/api/integration_links/(?P<item>[^/]+)", {"PUT": links.replace_token}),
    Route("/api/end_users", {"GET": end_users.list_all, "POST": end_users.create, "PUT": end_users.change}),
    Route(_USER, {"GET": end_users.detail, "DELETE": end_users.remove}),
    Route(f"{_USER}/delete", {"POST": end_users.remove_later}),
    Route(f"{_USER}/processing_status", {"GET": end_users.processing_status}),
    Route(f"{_USER}/integration_links", {"GET": links.list_of_end_user}),
    Route(f"{_USER}/data_sources", {"GET": end_users.list_sources}),
    Route("/api/data_sources/(?P<source>[^/]+)", {"PUT": end_users.change_source}),
    Route("/api/webhooks", {"GET": account.list_webhooks, "POST": account.create_webhook}),
    Route("/api/webhooks/topics", {"GET": account.list_topics}),
    Route("/api/webhooks/(?P<webhook>[^/]+)", {"PUT": account.change_webhook, "DELETE": account.delete_webhook}),
)
