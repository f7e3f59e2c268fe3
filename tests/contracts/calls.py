"""Every call that our clients make, each with values that the documents allow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from linkadmin.providers.base import Provider
from linkadmin.providers.types import LinkRef, NewLink, Secret

CUSTOMER = "cust-0001"
BELVO_LINK = LinkRef("30cb4806-6e00-48a4-91c9-ca55968576c8", CUSTOMER)  # the one of the document's examples
HERON_LINK = LinkRef("q7Lr2VbXzNtoKd4WcJmEyP9sUhG1aFi3BTvn", CUSTOMER)
SESSION = Secret("2675b703b9d4451f8d4861a3eee54449")


@dataclass(frozen=True, slots=True)
class Call:
    """A client's method, and the call of the document that it leads to."""

    method: str
    path: str
    make: Callable[[Provider], object]


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
    "submit_token": Call(
        "PATCH",
        "/api/links/",
        lambda belvo: belvo.submit_token(session=SESSION, remote_link_id=BELVO_LINK.remote_id, token=Secret("111111")),
    ),
    "read_link": Call("GET", "/api/links/{id}/", lambda belvo: belvo.read_link(BELVO_LINK)),
    "find_link": Call(
        "GET",
        "/api/links/",
        lambda belvo: belvo.find_link(remote_id="", end_user_id=CUSTOMER, institution="erebor_mx_retail"),
    ),
}

HERON: Mapping[str, Call] = {
    "test_connection": Call("GET", "/api/hello_world/authenticated", lambda heron: heron.test_connection()),
    "create_link": Call(
        "POST",
        "/api/integrations/{heron_id}/links",
        lambda heron: heron.create_link(
            NewLink(CUSTOMER, "Blue Fern Bakery", "", {"item_id": "item-1", **secrets(access_token="access-sandbox-1")})
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
}


def offered(provider: type[Provider]) -> set[str]:
    """Return the names of the calls that a client makes, whatever is in the tables above."""
    declared = {name for name, value in vars(Provider).items() if callable(value)}
    return {name for name, value in vars(provider).items() if callable(value) and name in declared and name[0] != "_"}
