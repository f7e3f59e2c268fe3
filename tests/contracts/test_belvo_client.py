"""Our Belvo client follows Belvo's document: its requests are valid, and it parses every example response."""

import pytest

from linkadmin.providers.base import Provider
from linkadmin.providers.belvo.provider import Belvo
from linkadmin.providers.errors import (
    Busy,
    CodeExpired,
    CodeRequired,
    Duplicate,
    InvalidInput,
    KeysRejected,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    SignInRejected,
)
from linkadmin.providers.types import (
    Cause,
    ChallengeKind,
    CredentialField,
    FieldKind,
    LinkRef,
    NewLink,
    Secret,
    Value,
)
from linkadmin.simulator.server import Simulator

from .calls import BELVO, BELVO_LINK, BELVO_UNDOCUMENTED, CUSTOMER, SESSION, offered, secrets
from .conftest import belvo_at
from .documents import Example, document, good_answers, known_names, refusals
from .relay import Relay

pytestmark = pytest.mark.contracts

DOCUMENT = "belvo.yaml"
Meaning = tuple[type[ProviderError], Cause | None]
WRONG_REQUEST: Meaning = (InvalidInput, None)
OUR_KEYS: Meaning = (KeysRejected, None)
BANK_DOWN: Meaning = (Rejected, Cause.BANK_DOWN)
CODE_WAITING: Meaning = (CodeRequired, Cause.CODE_WAITING)
PROVIDER_TROUBLE: Meaning = (OutcomeUnknown, Cause.PROVIDER_TROUBLE)

MEANINGS: dict[str, Meaning] = {
    "login_error": (SignInRejected, Cause.PASSWORD_WRONG),
    "login_error_locked": (SignInRejected, Cause.ACCOUNT_LOCKED),
    "login_error_forbidden": (SignInRejected, Cause.ACCESS_FORBIDDEN),
    "login_error_unexpected": (Rejected, Cause.BANK_TROUBLE),
    "login_error_not_attempted": (SignInRejected, Cause.PASSWORD_WRONG),
    "login_error_missing": (InvalidInput, Cause.FIELD_MISSING),
    "login_error_mfa_unsupported": (Rejected, Cause.CODE_UNSUPPORTED),
    "too_many_sessions": (Busy, Cause.SESSION_OPEN),
    "session_expired": (CodeExpired, Cause.CODE_TOO_LATE),
    "institution_down": BANK_DOWN,
    "institution_unavailable": BANK_DOWN,
    "institution_inactive": BANK_DOWN,
    "invalid_link": (SignInRejected, Cause.LOGIN_REFUSED),
    "unconfirmed_link": (Rejected, Cause.NEVER_CONFIRMED),
    "unsupported_operation": WRONG_REQUEST,
    "activation_failed": (SignInRejected, Cause.ACTIVATION_FAILED),
    "required": WRONG_REQUEST,
    "blank": WRONG_REQUEST,
    "null": WRONG_REQUEST,
    "does_not_exist": WRONG_REQUEST,
    "invalid_choice": WRONG_REQUEST,
    "validation_error": WRONG_REQUEST,
    "parse_error": WRONG_REQUEST,
    "not_a_list": WRONG_REQUEST,
    "two_fields": WRONG_REQUEST,
    "duplicated": (Duplicate, None),
    "invalid_credentials_storage": WRONG_REQUEST,
    "invalid_fetch_resources": WRONG_REQUEST,
    "invalid_resources": WRONG_REQUEST,
    "invalid_access_mode_switch": WRONG_REQUEST,
    "link_refreshed": (Busy, None),
    "authentication_failed": OUR_KEYS,
    "access_to_resource_denied": OUR_KEYS,
    "access_to_production_denied": OUR_KEYS,
    "quota_limit_reached": OUR_KEYS,
    "text/html": OUR_KEYS,
    "not_found": (NotFound, Cause.NOT_FOUND),
    "expired_credentials": (Rejected, Cause.STORAGE_ENDED),
    "request_timeout": PROVIDER_TROUBLE,
    "unexpected_error": PROVIDER_TROUBLE,
    "service_unavailable": PROVIDER_TROUBLE,
    "429": (Busy, None),
    "array_numeric": CODE_WAITING,
    "object_numeric_seed": CODE_WAITING,
    "array_no_generation_data": CODE_WAITING,
    "array_no_input": CODE_WAITING,
    "array_qr": CODE_WAITING,
    "activation_required": (Rejected, Cause.NOT_ACTIVATED),
}


@pytest.fixture
def belvo(belvo_mock: Relay) -> Provider:
    return belvo_at(belvo_mock.url)


def test_every_call_of_the_client_is_tried_here() -> None:
    assert BELVO.keys() == offered(Belvo) - BELVO_UNDOCUMENTED


@pytest.mark.parametrize("name", BELVO)
def test_a_call_is_one_that_the_document_allows(belvo_mock: Relay, belvo: Provider, name: str) -> None:
    call = BELVO[name]

    call.make(belvo)

    (sent,) = belvo_mock.exchanges
    assert (sent.method, sent.violation) == (call.method, "")
    assert {*sent.query, *(sent.body or {})} <= known_names(DOCUMENT, call.method, call.path)


@pytest.mark.parametrize(
    ("name", "example"),
    [(name, example) for name, call in BELVO.items() for example in refusals(DOCUMENT, call.method, call.path)],
    ids=str,
)
def test_a_documented_rejection_has_its_class_and_cause(
    belvo_mock: Relay, belvo: Provider, name: str, example: Example
) -> None:
    belvo_mock.headers = example.headers
    kind, cause = MEANINGS[str(example)]
    if cause is Cause.PROVIDER_TROUBLE and f"belvo.{name}" not in Belvo.BANK_CALLS:
        cause = None  # a failed read says nothing about the link
    if f"belvo.{name}" in Belvo.BESIDE_LINKS:
        cause = None

    with pytest.raises(ProviderError) as caught:
        BELVO[name].make(belvo)

    observation = caught.value.observation
    assert (type(caught.value), observation.cause if observation else None) == (kind, cause)
    # A firewall's 403 may concern this one request: the connection test decides, unless this is the connection test.
    answers = 2 if str(example) == "text/html" and name != "test_connection" else 1
    assert [(sent.status, sent.violation) for sent in belvo_mock.exchanges] == answers * [(example.status, "")]


@pytest.mark.parametrize(
    ("example", "kind", "expects_input"),
    [
        ("array_numeric", ChallengeKind.NUMERIC, True),
        ("object_numeric_seed", ChallengeKind.NUMERIC, True),
        ("array_no_generation_data", ChallengeKind.CODE, True),
        ("array_no_input", ChallengeKind.APPROVE, False),
        ("array_qr", ChallengeKind.QR, True),
    ],
)
def test_a_documented_challenge_is_understood(
    belvo_mock: Relay, belvo: Provider, example: str, kind: ChallengeKind, expects_input: bool
) -> None:
    belvo_mock.headers = {"Prefer": f"code=428, example={example}"}

    with pytest.raises(CodeRequired) as caught:
        BELVO["update_credentials"].make(belvo)

    challenge = caught.value.challenge
    assert (challenge.kind, challenge.expects_input) == (kind, expects_input)
    assert (challenge.session.reveal(), challenge.remote_link_id) == (SESSION.reveal(), BELVO_LINK.remote_id)
    assert challenge.expires_in == (720 if example == "array_no_input" else 9600)


LINK_CAUSES = {
    "valid": Cause.WORKING,
    "seed_shape": Cause.WORKING,
    "invalid": Cause.LOGIN_REFUSED,
    "token_required": Cause.CODE_NEEDED,
    "unconfirmed": Cause.UNCONFIRMED,
    "single": Cause.WORKING,
    "unknown_extra_field": Cause.WORKING,
}


@pytest.mark.parametrize("example", good_answers(DOCUMENT, "GET", "/api/links/{id}/"), ids=str)
def test_a_documented_link_has_its_cause(belvo_mock: Relay, belvo: Provider, example: Example) -> None:
    belvo_mock.headers = example.headers

    link = belvo.read_link(BELVO_LINK)

    assert link.observation.cause is LINK_CAUSES[example.name]


LISTED_CUSTOMER = "56ab5706-6e00-48a4-91c9-ca55968678d9"  # from the document's lists


@pytest.mark.parametrize(("example", "count"), [("first_page", 2), ("last_page", 1), ("empty", 0)])
def test_a_documented_list_is_read(belvo_mock: Relay, belvo: Provider, example: str, count: int) -> None:
    belvo_mock.headers = {"Prefer": f"code=200, example={example}"}

    found = belvo.find_link(remote_id="", end_user_id=LISTED_CUSTOMER, institution="erebor_mx_retail")

    assert (len(found), belvo_mock.violations) == (count, [])


@pytest.mark.parametrize(("example", "page_links", "is_last"), [("first_page", 2, False), ("last_page", 1, True)])
def test_a_documented_page_is_read(
    belvo_mock: Relay, belvo: Provider, example: str, page_links: int, is_last: bool
) -> None:
    belvo_mock.headers = {"Prefer": f"code=200, example={example}"}

    page = belvo.list_links({}, whole=True)

    assert (len(page.items), page.is_last, page.total) == (page_links, is_last, 3)
    assert {link.storage for link in page.items} == {"store"}


PAGING = {"page", "page_size", "omit", "fields"}


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/api/links/", Belvo.link_filters), ("/api/institutions/", Belvo.institution_filters)],
    ids=["links", "institutions"],
)
def test_a_list_can_be_searched_by_all_that_is_documented(path: str, fields: tuple[CredentialField, ...]) -> None:
    offered_names = {field.name for field in fields}
    documented = known_names(DOCUMENT, "GET", path) - PAGING

    assert offered_names <= documented
    assert {name.removesuffix("__in") for name in documented} == offered_names


def test_every_filter_may_be_sent(belvo_mock: Relay, belvo: Provider) -> None:
    belvo.list_links({field.name: _searched(field) for field in belvo.link_filters})
    belvo.find_institutions({field.name: _searched(field) for field in belvo.institution_filters})

    assert belvo_mock.violations == []
    for sent in belvo_mock.exchanges:
        assert sent.query.keys() <= known_names(DOCUMENT, "GET", sent.path)


def _searched(field: CredentialField) -> str | tuple[str, ...]:
    values = tuple(choice.value for choice in field.choices)
    return values if field.kind is FieldKind.MANY else values[0] if values else field.placeholder or "one,two"


def test_a_removal_in_the_background_is_accepted(belvo_mock: Relay, belvo: Provider) -> None:
    belvo_mock.headers = {"Prefer": "code=202"}

    removed = belvo.remove_link(BELVO_LINK, {"how": "in_background"})

    assert (removed.finished, belvo_mock.violations) == (False, [])
    assert removed.request_id


def test_consents_are_the_calls_that_the_document_lacks() -> None:
    assert [path for path in document(DOCUMENT)["paths"] if "consents" in path] == []


def test_a_code_step_without_a_code_is_allowed(belvo_mock: Relay, belvo: Provider) -> None:
    belvo.submit_code(session=SESSION, remote_link_id=BELVO_LINK.remote_id, code=None)

    assert belvo_mock.violations == []


def test_what_each_banks_form_asks_for_may_be_sent(belvo_mock: Relay, belvo: Provider, simulator: Simulator) -> None:
    for bank in belvo_at(simulator.url).list_institutions():
        typed = {field.name: _typed(field.name) for field in belvo.create_fields(bank)}
        belvo.create_link(NewLink(CUSTOMER, "", bank.name, {**typed, **belvo.fixed_values(bank)}))
        if fields := belvo.update_fields(bank):
            belvo.update_credentials(BELVO_LINK, {field.name: _typed(field.name) for field in fields})

    assert belvo_mock.violations == []
    for sent in belvo_mock.exchanges:
        path = "/api/links/" if sent.method == "POST" else "/api/links/{id}/"
        assert sent.body.keys() <= known_names(DOCUMENT, sent.method, path)


OPTIONS: dict[str, Value] = {
    "access_mode": "single",
    "fetch_resources": ("ACCOUNTS", "OWNERS"),
    "credentials_storage": "90d",
    "stale_in": "300d",
}


def _typed(name: str) -> Value:
    return OPTIONS.get(name, Secret("111111"))


def test_a_certificate_in_place_of_a_password_is_the_one_departure(belvo_mock: Relay, belvo: Provider) -> None:
    # Newer than the document: certificate and key can replace the password at tax authorities.
    with pytest.raises(ProviderError):
        belvo.update_credentials(BELVO_LINK, secrets(certificate="Y2VydA==", private_key="a2V5"))

    (said,) = belvo_mock.violations
    assert "must have required property 'password'" in said


def test_a_wrong_request_is_noticed(belvo_mock: Relay, belvo: Provider) -> None:
    with pytest.raises(ProviderError):
        belvo.read_link(LinkRef("no-uuid", CUSTOMER))

    assert len(belvo_mock.violations) == 1
