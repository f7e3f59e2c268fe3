"""Every call of our clients, with values that the documents allow."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from linkadmin.providers.base import Provider
from linkadmin.providers.records import RemoteWebhook
from linkadmin.providers.types import LinkRef, NewLink, NewSession, ReturnUrls, Secret

from .relay import Exchange

CUSTOMER = "cust-0001"
BELVO_LINK = LinkRef("30cb4806-6e00-48a4-91c9-ca55968576c8", CUSTOMER)  # from the document's examples
HERON_LINK = LinkRef("q7Lr2VbXzNtoKd4WcJmEyP9sUhG1aFi3BTvn", CUSTOMER)
RETURN_URLS = ReturnUrls("https://links.example.test/repair/done/", "https://links.example.test/repair/left/")
SESSION = Secret("2675b703b9d4451f8d4861a3eee54449")
DATA_SOURCE = "dso_4GkWmT7cYzQ2nHsV9bLxRe"
WEBHOOK = RemoteWebhook(
    "wbh_2nKqVt8ZcXw4LmRs7HbPyd", "integration_link.erroring", "https://links.example.test/hooks/heron/"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A client method, and the documented call it makes."""

    method: str
    path: str
    make: Callable[[Provider], object]

    def leads_to(self, method: str, path: str) -> bool:
        return method == self.method and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", self.path), path) is not None


def secrets(**values: str) -> dict[str, "str | Secret"]:
    return {name: Secret(value) for name, value in values.items()}


BELVO: Mapping[str, Call] = {
    "test_connection": Call("GET", "/api/institutions/", lambda belvo: belvo.test_connection()),
    "list_institutions": Call("GET", "/api/institutions/", lambda belvo: list(belvo.list_institutions())),
    "create_link": Call(
        "POST",
        "/api/links/",
        lambda belvo: belvo.create_link(
            NewLink(CUSTOMER, "", "erebor_mx_retail", secrets(username="maria", password="pw"))
        ),
    ),
    "update_credentials": Call(
        "PUT",
        "/api/links/{id}/",
        lambda belvo: belvo.update_credentials(BELVO_LINK, secrets(password="pw", token="111111")),
    ),
    "submit_code": Call(
        "PATCH",
        "/api/links/",
        lambda belvo: belvo.submit_code(session=SESSION, remote_link_id=BELVO_LINK.remote_id, code=Secret("111111")),
    ),
    "read_link": Call("GET", "/api/links/{id}/", lambda belvo: belvo.read_link(BELVO_LINK)),
    "find_link": Call(
        "GET",
        "/api/links/",
        lambda belvo: belvo.find_link(remote_id="", end_user_id=CUSTOMER, institution="erebor_mx_retail"),
    ),
    "read_links": Call("GET", "/api/links/", lambda belvo: belvo.read_links([BELVO_LINK])),
    "refresh_data": Call(
        "POST", "/api/links/{id}/refresh/", lambda belvo: belvo.refresh_data(BELVO_LINK, {"resources": ("ACCOUNTS",)})
    ),
    "change_settings": Call(
        "PATCH",
        "/api/links/{id}/",
        lambda belvo: belvo.change_settings(
            BELVO_LINK, {"access_mode": "recurrent", "stale_in": "300d", "resources": ("ACCOUNTS", "OWNERS")}
        ),
    ),
    "remove_link": Call("DELETE", "/api/links/{id}/", lambda belvo: belvo.remove_link(BELVO_LINK, {})),
    "create_repair_url": Call(
        "POST", "/api/token/", lambda belvo: belvo.create_repair_url(BELVO_LINK, {"locale": "es"}, RETURN_URLS)
    ),
    "list_links": Call(
        "GET", "/api/links/", lambda belvo: belvo.list_links({"status": ("invalid", "unconfirmed")}, page=2)
    ),
    "find_institutions": Call(
        "GET", "/api/institutions/", lambda belvo: belvo.find_institutions({"country_code": "MX,BR"}, page=2)
    ),
    "read_institution": Call("GET", "/api/institutions/{id}/", lambda belvo: belvo.read_institution("1004")),
}
# The document has no consents: tests/providers and the simulator stand in for it.
BELVO_UNDOCUMENTED = {"list_consents"}

CREATED_ITEM = "M5eVJqLnv3tbzdngLDp9FL5OlDNxlNhlE55op"  # from the document's own response to a new link

HERON: Mapping[str, Call] = {
    "test_connection": Call("GET", "/api/hello_world/authenticated", lambda heron: heron.test_connection()),
    "create_link": Call(
        "POST",
        "/api/integrations/{heron_id}/links",
        lambda heron: heron.create_link(
            NewLink(CUSTOMER, "Blue Fern Bakery", "", {"item_id": CREATED_ITEM, **secrets(access_token="access-1")})
        ),
    ),
    "read_link": Call(
        "GET",
        "/api/end_users/{end_user_id_or_heron_id}/integration_links",
        lambda heron: heron.read_link(HERON_LINK),
    ),
    "find_link": Call(
        "GET",
        "/api/end_users/{end_user_id_or_heron_id}/integration_links",
        lambda heron: heron.find_link(remote_id=HERON_LINK.remote_id, end_user_id=CUSTOMER, institution=""),
    ),
    "list_links": Call(
        "GET", "/api/integrations/{heron_id}/links", lambda heron: heron.list_links({"end_user_id": CUSTOMER})
    ),
    "read_links": Call("GET", "/api/integrations/{heron_id}/links", lambda heron: heron.read_links([HERON_LINK])),
    "refresh_data": Call(
        "POST",
        "/api/integrations/{heron_id}/links/{link_item_id}/refresh",
        lambda heron: heron.refresh_data(HERON_LINK, {}),
    ),
    "regenerate_reports": Call(
        "PUT", "/api/integrations/{heron_id}/links", lambda heron: heron.regenerate_reports(CUSTOMER)
    ),
    "remove_link": Call(
        "DELETE", "/api/integrations/{heron_id}/links", lambda heron: heron.remove_link(HERON_LINK, {})
    ),
    "replace_token": Call(
        "PUT",
        "/api/integration_links/{item_id}",
        lambda heron: heron.replace_token(HERON_LINK, secrets(access_token="access-sandbox-2")),
    ),
    "list_end_users": Call(
        "GET", "/api/end_users", lambda heron: heron.list_end_users({"status": "new", "order_by": "created_desc"})
    ),
    "create_end_user": Call(
        "POST", "/api/end_users", lambda heron: heron.create_end_user(CUSTOMER, "Blue Fern Bakery")
    ),
    "rename_end_user": Call("PUT", "/api/end_users", lambda heron: heron.rename_end_user(CUSTOMER, "Blue Fern Bakery")),
    "read_end_user": Call(
        "GET", "/api/end_users/{end_user_id_or_heron_id}", lambda heron: heron.read_end_user(CUSTOMER)
    ),
    "read_processing": Call(
        "GET",
        "/api/end_users/{end_user_id_or_heron_id}/processing_status",
        lambda heron: heron.read_processing(CUSTOMER),
    ),
    "list_data_sources": Call(
        "GET",
        "/api/end_users/{end_user_id_or_heron_id}/data_sources",
        lambda heron: heron.list_data_sources(CUSTOMER),
    ),
    "switch_data_source": Call(
        "PUT", "/api/data_sources/{heron_id}", lambda heron: heron.switch_data_source(DATA_SOURCE, enabled=False)
    ),
    "list_connectors": Call("GET", "/api/integrations", lambda heron: heron.list_connectors()),
    "list_webhooks": Call("GET", "/api/webhooks", lambda heron: heron.list_webhooks()),
    "list_webhook_topics": Call("GET", "/api/webhooks/topics", lambda heron: heron.list_webhook_topics()),
    "add_webhook": Call("POST", "/api/webhooks", lambda heron: heron.add_webhook(WEBHOOK.topic, WEBHOOK.url)),
    "switch_webhook": Call(
        "PUT", "/api/webhooks/{heron_id}", lambda heron: heron.switch_webhook(WEBHOOK, enabled=False)
    ),
    "remove_webhook": Call("DELETE", "/api/webhooks/{heron_id}", lambda heron: heron.remove_webhook(WEBHOOK.remote_id)),
}

WEBHOOK_KEY = "3c5e8a10-5d2b-4b7e-9b0a-6f1d2c3e4f50"  # from the document's example
NEW_SESSION = NewSession(
    access_token=Secret("access-sandbox-1"),
    item_id="item-1",
    reference="2f3b6d0e-5a9b-4a53-9b3c-0b3f0d6f4a11",
    company="Linkadmin",
    language="es",
    seconds=86_400,
    return_url="https://links.example.test/repair/done/",
    choose_accounts=True,
)

PLAID: Mapping[str, Call] = {
    "test_connection": Call("POST", "/webhook_verification_key/get", lambda plaid: plaid.test_connection()),
    "create_session": Call("POST", "/link/token/create", lambda plaid: plaid.create_session(NEW_SESSION)),
    "read_item_id": Call("POST", "/item/get", lambda plaid: plaid.read_item_id(Secret("access-sandbox-1"))),
    "read_session": Call("POST", "/link/token/get", lambda plaid: plaid.read_session(Secret("link-sandbox-1"))),
    "read_webhook_key": Call(
        "POST", "/webhook_verification_key/get", lambda plaid: plaid.read_webhook_key(WEBHOOK_KEY)
    ),
}


def offered(provider: type[Provider]) -> set[str]:
    """All calls that a client implements, whether in the tables above or not."""
    calls = {name: value for name, value in vars(Provider).items() if callable(value) and name[0] != "_"}
    return {name for name, value in calls.items() if getattr(provider, name) is not value}


def made(exchanges: Iterable[Exchange], calls: Mapping[str, Call]) -> set[str]:
    """The calls whose method and path are among the exchanges."""
    sent = {(each.method, each.path) for each in exchanges}
    return {name for name, call in calls.items() if any(call.leads_to(method, path) for method, path in sent)}
