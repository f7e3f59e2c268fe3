"""Every call of every provider, with its documented responses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from linkadmin.providers.base import Provider
from linkadmin.providers.records import RemoteWebhook
from linkadmin.providers.types import LinkRef, NewLink, Secret

Json = object

LINK_ID = "30cb4806-6e00-48a4-91c9-ca55968576c8"
ITEM = "M5eVJqLnv3tbzdngLDp9FL5OlDNxlNhlE55op"
SECRETS = {
    "username": "maría.gómez@example.com",
    "password": 'pä&s" w/rd+7%41',
    "token": "918273",
    "encryption_key": "k\\ey' <of> mine",
    "private_key": "-----BEGIN KEY-----\nMIIB+/abc==\n-----END KEY-----",
    "access_token": "access-sandbox-de3ce8ef-33f8",
}
SESSION = "2675b703b9d4451f8d4861a3eee54449"
TYPED = {name: Secret(text) for name, text in SECRETS.items()}


@dataclass(frozen=True)
class Shape:
    """A call and its possible response bodies: successes first, then its own errors.

    Without a body, the API has nothing for this call, and it raises `Unsupported`.
    """

    name: str
    make: Callable[[Provider], object]
    bodies: tuple[Json, ...]
    refusals: tuple[Json, ...] = field(default=())


BELVO_LINK = {
    "id": LINK_ID,
    "institution": "erebor_mx_retail",
    "access_mode": "recurrent",
    "last_accessed_at": "2021-03-09T10:28:40.000Z",
    "created_at": "2022-02-09T08:45:50.406032Z",
    "external_id": "cust-0001",
    "institution_user_id": "sooE7XJWEKypZJR603ecaWYk-8Ap0oD03-GCDNhE1l8=",
    "status": "valid",
    "created_by": "bcef7f35-67f2-4b19-b009-cb38795faf09",
    "refresh_rate": "7d",
    "credentials_storage": "30d",
    "fetch_resources": ["ACCOUNTS", "TRANSACTIONS"],
    "stale_in": "365d",
}
INSTITUTION = {
    "id": 1003,
    "name": "erebor_mx_retail",
    "type": "bank",
    "website": "https://www.erebor.com/",
    "display_name": "Erebor",
    "country_code": "MX",
    "country_codes": ["MX", "BR"],
    "primary_color": "#056dae",
    "logo": "https://belvo-api-media.example/logo.svg",
    "icon_logo": None,
    "text_logo": None,
    "form_fields": [
        {
            "name": "username",
            "type": "select",
            "label": "Client number",
            "validation": "^[0-9]{1,12}$",
            "validation_message": "Invalid client number",
            "placeholder": "ABC333333A33",
            "length": "12",
            "optional": False,
            "pre_selected": "001",
            "values": [
                {"code": "001", "label": "Cedula", "validation": "^.{1,}$", "validation_message": "Wrong"},
                {"code": "002", "label": "Passport"},
            ],
        },
        {"name": "password", "type": "password", "label": "Password", "placeholder": "Your password", "length": 8},
    ],
    "features": [{"name": "token_required", "description": "May require a token to connect"}],
    "resources": ["ACCOUNTS", "OWNERS"],
    "integration_type": "credentials",
    "status": "healthy",
}
CONSENT = {
    "id": "54f1a6cd-0ab0-4c7c-9f4c-35bd8e1e3a52",
    "link_id": LINK_ID,
    "status": "AUTHORISED",
    "created_at": "2022-02-09T08:45:50.406032Z",
    "expired_at": "2027-02-09T08:45:50.406032Z",
    "permissions": ["REGISTER"],
    "institution_display_name": "Erebor",
    "consent_source": "MBP",
}


def paged(*items: Json) -> Json:
    return {"count": len(items), "next": None, "previous": None, "results": list(items)}


WANTED = {
    "code": "token_required",
    "message": "A MFA token is required by the institution to login",
    "request_id": "9e7b283c6efa449c9c028a16b5c249fb",
    "session": SESSION,
    "expiry": 9600,
    "link": LINK_ID,
}
TEST_DATA = {"type": "numeric", "value": "12345", "instructions": "Use this code", "expects_user_input": True}
PICTURE = {"type": "qr", "value": "iVBORw0KGgo=", "expect_user_input": False}
BELVO_REFUSALS: tuple[Json, ...] = (
    WANTED,
    [{**WANTED, "token_generation_data": TEST_DATA}],
    [{**WANTED, "code": None, "token_generation_data": PICTURE}],
    [{"code": "login_error", "message": "Invalid credentials provided to login", "request_id": "r1"}],
    [{"code": "login_error", "message": "The user’s account is locked", "request_id": "9e7b283c6efa449c"}],
    [
        {"code": "required", "message": "This field is required.", "field": "institution", "request_id": "r1"},
        {"code": "blank", "message": "May not be blank.", "field": "password", "request_id": "r1"},
    ],
    [{"code": "too_many_sessions", "message": "Impossible to login, a session is already opened", "request_id": "r1"}],
    [{"code": "link_refreshed", "message": "Please wait 9 minutes before trying again", "request_id": "r1"}],
    [{"code": "not_found", "message": "Not found", "request_id": "r1"}],
    [{"code": "request_timeout", "message": "The request timed out", "request_id": "r1"}],
    {"detail": "Request was throttled."},
)  # fmt: skip

NEW_LINK = NewLink(
    "cust-0001", "Blue Fern Bakery", "erebor_mx_retail", {**TYPED, "item_id": ITEM, "username_type": "103"}
)
REF = LinkRef(LINK_ID, "cust-0001")

BELVO = (
    Shape("test_connection", lambda belvo: belvo.test_connection(), (paged(INSTITUTION),)),
    Shape("create_link", lambda belvo: belvo.create_link(NEW_LINK), (BELVO_LINK,)),
    Shape("update_credentials", lambda belvo: belvo.update_credentials(REF, TYPED), (BELVO_LINK,)),
    Shape(
        "submit_code",
        lambda belvo: belvo.submit_code(session=Secret(SESSION), remote_link_id=LINK_ID, code=TYPED["token"]),
        (BELVO_LINK,),
    ),
    Shape("refresh_data", lambda belvo: belvo.refresh_data(REF, {}), ({"request_id": "9e7b283c6efa449c"}, {})),
    Shape("change_settings", lambda belvo: belvo.change_settings(REF, {"access_mode": "single"}), (BELVO_LINK,)),
    Shape("remove_link", lambda belvo: belvo.remove_link(REF, {}), ({}, {"request_id": "9e7b283c6efa449c"})),
    Shape(
        "create_repair_url",
        lambda belvo: belvo.create_repair_url(REF, {"locale": "es"}),
        ({"access": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9", "refresh": "eyJ0eXAiOiJKV1QiLCJhbGciOiJI"},),
    ),
    Shape("read_link", lambda belvo: belvo.read_link(REF), (BELVO_LINK,)),
    Shape(
        "find_link",
        lambda belvo: belvo.find_link(remote_id="", end_user_id="cust-0001", institution="erebor_mx_retail"),
        (paged(BELVO_LINK, {**BELVO_LINK, "status": "invalid"}),),
    ),
    Shape("read_links", lambda belvo: belvo.read_links([REF]), (paged(BELVO_LINK), paged())),
    Shape("list_links", lambda belvo: belvo.list_links({}), (paged(BELVO_LINK, {**BELVO_LINK, "status": "x"}),)),
    Shape(
        "list_institutions",
        lambda belvo: list(islice(belvo.list_institutions(), 50)),
        (paged(INSTITUTION), {"results": [INSTITUTION], "next": "https://api.belvo.com/api/institutions/?page=2"}),
    ),
    Shape("find_institutions", lambda belvo: belvo.find_institutions({}), (paged(INSTITUTION, INSTITUTION),)),
    Shape("read_institution", lambda belvo: belvo.read_institution("1003"), (INSTITUTION,)),
    Shape("list_consents", lambda belvo: belvo.list_consents(REF), (paged(CONSENT, {**CONSENT, "id": "c2"}),)),
)

HERON_LINK = {
    "created": "2020-01-01T00:00:00Z",
    "data_source_heron_id": "dso_4GkWmT7cYzQ2nHsV9bLxRe",
    "item_id": ITEM,
    "last_successful_sync": "2020-01-02T00:00:00Z",
    "last_updated": "2020-01-01T00:00:00Z",
    "status": "active",
    "status_message": "[ITEM_LOGIN_REQUIRED] the login details of this item have changed",
    "type": "plaid_integration",
}
DATA_SOURCE = {
    "heron_id": "dso_4GkWmT7cYzQ2nHsV9bLxRe",
    "type": "plaid_integration",
    "status": "syncing",
    "status_message": None,
    "is_enabled": True,
    "metadata": {"integration_item_id": ITEM, "last_successful_sync": "2020-01-02T00:00:00"},
    "data_source_accounts": [
        {"account_id": "a1", "enabled": True, "num_transactions": 5, "min_date": "2020-01-01", "max_date": "2020-02-01"}
    ],
}
END_USER = {
    "end_user_id": "cust-0001",
    "heron_id": "eus_8bKq2Wm5TzR7yHcV3nLxPd",
    "name": "Blue Fern Bakery",
    "status": "new",
    "created": "2020-01-01T00:00:00Z",
    "last_updated": "2020-01-01T00:00:00Z",
    "data_sources": [{"type": "plaid_integration", "status": "erroring", "status_message": "[ITEM_LOCKED]"}],
}
WEBHOOK = {
    "heron_id": "whk_1",
    "topic": "end_user.processed",
    "url": "https://links.example.com/w/1",
    "is_enabled": True,
}


def heron_refusal(status: int, description: Json) -> Json:
    return {"code": status, "name": "Reason Phrase", "description": description}


HERON_REFUSALS: tuple[Json, ...] = (
    heron_refusal(400, "The browser (or proxy) sent a request that this server could not understand."),
    heron_refusal(404, "End user not found"),
    heron_refusal(409, "a link with this item_id exists"),
    heron_refusal(422, {"json": {"item_id": ["Missing data for required field."], "end_user": {"name": ["Odd."]}}}),
    heron_refusal(422, {"query": {"_schema": ["One of the two ids is required."]}, "json": {"_schema": ["no"]}}),
    heron_refusal(429, "100 per 1 minute"),
    {"message": "Forbidden"},
)

ITEM_REF = LinkRef(ITEM, "cust-0001")
LISTED = {"links": [{**HERON_LINK, "item_id": "other"}, HERON_LINK]}

HERON = (
    Shape("test_connection", lambda heron: heron.test_connection(), ({"hello": "world"},)),
    Shape("create_link", lambda heron: heron.create_link(NEW_LINK), ({"link": HERON_LINK},)),
    Shape("refresh_data", lambda heron: heron.refresh_data(ITEM_REF, {}), ({"link": HERON_LINK},)),
    Shape("remove_link", lambda heron: heron.remove_link(ITEM_REF, {}), ({"status": "ok"}, {})),
    Shape("replace_token", lambda heron: heron.replace_token(ITEM_REF, TYPED), ({"integration_link": HERON_LINK},)),
    Shape(
        "regenerate_reports",
        lambda heron: heron.regenerate_reports("cust-0001"),
        ({"processed_links": 2, "failed_links": []},),
        ({"processed_links": 1, "failed_links": [ITEM, "two"]},),
    ),
    Shape("create_end_user", lambda heron: heron.create_end_user("cust-0001", "Bakery"), ({"end_user": END_USER},)),
    Shape("rename_end_user", lambda heron: heron.rename_end_user("cust-0001", "Bakery"), ({"end_user": END_USER},)),
    Shape(
        "switch_data_source",
        lambda heron: heron.switch_data_source("dso_4GkWmT7cYzQ2nHsV9bLxRe", enabled=False),
        (DATA_SOURCE,),
    ),
    Shape(
        "add_webhook",
        lambda heron: heron.add_webhook("end_user.processed", "https://links.example.com/w/1"),
        ({"webhook": WEBHOOK},),
    ),
    Shape(
        "switch_webhook",
        lambda heron: heron.switch_webhook(RemoteWebhook("whk_1", "t", "https://links.example.com"), enabled=False),
        ({"webhook": WEBHOOK},),
    ),
    Shape("remove_webhook", lambda heron: heron.remove_webhook("whk_1"), ({},)),
    Shape("read_link", lambda heron: heron.read_link(ITEM_REF), (LISTED, {"links": []})),
    Shape(
        "find_link",
        lambda heron: heron.find_link(remote_id=ITEM, end_user_id="cust-0001", institution=""),
        (LISTED, {"links": []}),
    ),
    Shape("read_links", lambda heron: heron.read_links([ITEM_REF]), (LISTED, {"links": []})),
    Shape("list_links", lambda heron: heron.list_links({"end_user_id": "cust-0001"}), (LISTED,)),
    Shape(
        "list_end_users",
        lambda heron: heron.list_end_users({}),
        ({"end_users": [END_USER, END_USER], "_meta": {"pages": 3, "total": 201}},),
    ),
    Shape("read_end_user", lambda heron: heron.read_end_user("cust-0001"), ({"end_user": END_USER},)),
    Shape("read_processing", lambda heron: heron.read_processing("cust-0001"), ({"status": "processed"},)),
    Shape("list_data_sources", lambda heron: heron.list_data_sources("cust-0001"), ([DATA_SOURCE, DATA_SOURCE],)),
    Shape(
        "list_connectors",
        lambda heron: heron.list_connectors(),
        ({"integrations": [{"heron_id": "itg_1", "name": "Plaid", "resource": "transactions", "type": "plaid"}]},),
    ),
    Shape("list_webhooks", lambda heron: heron.list_webhooks(), ({"webhooks": [WEBHOOK, WEBHOOK]},)),
    Shape("list_webhook_topics", lambda heron: heron.list_webhook_topics(), ({"topics": ["end_user.processed"]},)),
)

SHAPES = {"belvo": (BELVO, BELVO_REFUSALS), "heron": (HERON, HERON_REFUSALS)}


def offered(provider: Provider) -> Iterator[str]:
    """Yield the calls that a provider implements itself."""
    for name, method in vars(Provider).items():
        if callable(method) and not name.startswith("_") and getattr(type(provider), name) is not method:
            yield name
