"""Our Heron client follows Heron's document: its requests are valid, and it parses every example response."""

import pytest

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import (
    Busy,
    Duplicate,
    InvalidInput,
    KeysRejected,
    NotFound,
    OutcomeUnknown,
    ProviderError,
)
from linkadmin.providers.heron.provider import Heron
from linkadmin.providers.types import Cause, NewLink

from .calls import CREATED_ITEM, CUSTOMER, HERON, HERON_LINK, offered
from .conftest import heron_at
from .documents import Example, good_answers, known_names, refusals
from .relay import Relay

pytestmark = pytest.mark.contracts

DOCUMENT = "heron.yaml"
LIST_PATH = HERON["read_link"].path
MEANINGS: dict[str, type[ProviderError]] = {
    "401": KeysRejected,
    "404": NotFound,
    "429": Busy,
    "500": OutcomeUnknown,
    "missing_field": InvalidInput,
    "schema_level": InvalidInput,
    "plain_text": InvalidInput,
}
CREATES = {"create_link", "create_end_user"}  # a duplicate is rejected with a message
# Searching for an unknown customer finds nothing; some reports may fail.
NO_ERROR = {("find_link", "404"), ("read_links", "404"), ("regenerate_reports", "422")}


@pytest.fixture
def heron(heron_mock: Relay) -> Provider:
    return heron_at(heron_mock.url)


def test_every_call_of_the_client_is_tried_here() -> None:
    assert HERON.keys() == offered(Heron)


@pytest.mark.parametrize("name", HERON)
def test_a_call_is_one_that_the_document_allows(heron_mock: Relay, heron: Provider, name: str) -> None:
    call = HERON[name]

    call.make(heron)

    (sent,) = heron_mock.exchanges
    assert (sent.method, sent.violation) == (call.method, "")
    assert {*sent.query, *(sent.body or {})} <= known_names(DOCUMENT, call.method, call.path)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        (name, example)
        for name, call in HERON.items()
        for example in refusals(DOCUMENT, call.method, call.path)
        if (name, str(example)) not in NO_ERROR
    ],
    ids=str,
)
def test_a_documented_rejection_has_its_class(heron_mock: Relay, heron: Provider, name: str, example: Example) -> None:
    heron_mock.headers = example.headers

    with pytest.raises(ProviderError) as caught:
        HERON[name].make(heron)

    said_in_words = str(example) == "plain_text" and name in CREATES
    assert type(caught.value) is (Duplicate if said_in_words else MEANINGS[str(example)])
    assert [(sent.status, sent.violation) for sent in heron_mock.exchanges] == [(example.status, "")]


def test_a_customer_whom_heron_does_not_know_has_no_links(heron_mock: Relay, heron: Provider) -> None:
    heron_mock.headers = {"Prefer": "code=404"}

    found = heron.find_link(remote_id="item-1", end_user_id=CUSTOMER, institution="")

    assert (found, [sent.status for sent in heron_mock.exchanges]) == ([], [404])
    assert heron.read_links([HERON_LINK]) == []


def test_reports_of_which_some_failed_are_an_answer(heron_mock: Relay, heron: Provider) -> None:
    heron_mock.headers = {"Prefer": "code=422"}

    refreshed = heron.regenerate_reports("")

    assert (refreshed.processed, refreshed.failed, heron_mock.violations) == (3, (HERON_LINK.remote_id,), [])
    assert heron_mock.exchanges[0].query == {}


def test_links_of_all_integrations_are_listed_by_customer(heron_mock: Relay, heron: Provider) -> None:
    page = heron.list_links({"end_user_id": CUSTOMER, "everywhere": "yes"})

    assert (len(page.items), heron_mock.violations) == (1, [])
    assert heron_mock.exchanges[0].path == f"/api/end_users/{CUSTOMER}/integration_links"


def test_customers_come_with_the_causes_of_their_sources(heron_mock: Relay, heron: Provider) -> None:
    page = heron.list_end_users({})

    causes = [[source.observation.cause for source in customer.sources] for customer in page.items]
    assert causes == [[Cause.ERROR_UNNAMED, Cause.WORKING], [Cause.WORKING]]
    assert (page.is_last, page.total, heron_mock.violations) == (True, 2, [])


def test_all_customers_are_listed_in_an_order_that_lasts(heron_mock: Relay, heron: Provider) -> None:
    heron.list_end_users({}, whole=True)

    (sent,) = heron_mock.exchanges
    assert (sent.violation, sent.query["order_by"], sent.query["limit"]) == ("", "created_asc", "500")


def test_every_search_for_customers_may_be_sent(heron_mock: Relay, heron: Provider) -> None:
    filters = {field.name: field.choices[0].value if field.choices else "one" for field in heron.end_user_filters}

    heron.list_end_users(filters)

    (sent,) = heron_mock.exchanges
    assert (sent.violation, filters.keys() <= sent.query.keys()) == ("", True)
    assert sent.query.keys() <= known_names(DOCUMENT, "GET", "/api/end_users")


def test_a_source_leads_back_to_its_link(heron_mock: Relay, heron: Provider) -> None:
    (source,) = heron.list_data_sources(CUSTOMER)

    assert (source.remote_link_id, source.enabled) == (HERON_LINK.remote_id, True)
    assert [account.transactions for account in source.accounts] == [120]
    assert heron_mock.violations == []


def test_the_keys_of_connectors_reach_no_object_of_ours(heron_mock: Relay, heron: Provider) -> None:
    heron_mock.headers = {"Prefer": "code=200, example=two"}

    connectors = heron.list_connectors()

    assert [connector.kind for connector in connectors] == ["plaid", "plaid"]
    assert "5f00aa11bb22cc33dd44ee55" not in repr(connectors)


@pytest.mark.parametrize(("example", "field"), [("missing_field", "item_id"), ("schema_level", "integration")])
def test_a_wrong_field_is_named(heron_mock: Relay, heron: Provider, example: str, field: str) -> None:
    heron_mock.headers = {"Prefer": f"code=422, example={example}"}

    with pytest.raises(InvalidInput) as caught:
        HERON["create_link"].make(heron)

    assert field in caught.value.failure.fields


CREATED_CAUSES = {
    "seed": Cause.LOGIN_REQUIRED,
    "pending": Cause.PENDING,
    "active_assets": Cause.WORKING,
}
CREATED_ITEMS = {"seed": CREATED_ITEM}  # each response has the requested item's ID; any other is rejected
OTHER_ITEM = "q7Lr2VbXzNtoKd4WcJmEyP9sUhG1aFi3BTvn"


@pytest.mark.parametrize(
    "example", good_answers(DOCUMENT, HERON["create_link"].method, HERON["create_link"].path), ids=str
)
def test_a_documented_new_link_has_its_cause(heron_mock: Relay, heron: Provider, example: Example) -> None:
    heron_mock.headers = example.headers

    item = CREATED_ITEMS.get(example.name, OTHER_ITEM)
    created = heron.create_link(NewLink(CUSTOMER, "", "", {"item_id": item, "access_token": "access-1"}))

    assert (created.observation.cause, heron_mock.violations) == (CREATED_CAUSES[example.name], [])


LIST_CAUSES = {
    "active": Cause.WORKING,
    "login_required": Cause.LOGIN_REQUIRED,
    "item_locked": Cause.ITEM_LOCKED,
    "institution_down": Cause.BANK_DOWN,
    "unknown_code": Cause.ERROR_UNRECOGNIZED,
    "no_bracket": Cause.ERROR_UNNAMED,
    "deleted_in_plaid": Cause.GONE,
    "sync_disabled": Cause.SWITCHED_OFF,
}
ITEM_CAUSES = {
    "item-pending": Cause.PENDING,
    "item-active": Cause.WORKING,
    "item-syncing": Cause.SYNCING,
    "item-erroring": Cause.LOGIN_REQUIRED,
    "item-disabled": Cause.SWITCHED_OFF,
    "item-deleted": Cause.GONE,
}


def test_every_documented_list_is_tried_here() -> None:
    examples = {example.name for example in good_answers(DOCUMENT, "GET", LIST_PATH)}

    assert examples == {*LIST_CAUSES, "all_statuses", "empty"}


@pytest.mark.parametrize("example", LIST_CAUSES)
def test_a_documented_link_has_its_cause(heron_mock: Relay, heron: Provider, example: str) -> None:
    heron_mock.headers = {"Prefer": f"code=200, example={example}"}

    assert heron.read_link(HERON_LINK).observation.cause is LIST_CAUSES[example]


@pytest.mark.parametrize("item_id", ITEM_CAUSES)
def test_each_documented_status_has_its_cause(heron_mock: Relay, heron: Provider, item_id: str) -> None:
    heron_mock.headers = {"Prefer": "code=200, example=all_statuses"}

    (found,) = heron.find_link(remote_id=item_id, end_user_id=CUSTOMER, institution="")

    assert found.observation.cause is ITEM_CAUSES[item_id]


def test_a_link_that_is_not_listed_is_missing(heron_mock: Relay, heron: Provider) -> None:
    heron_mock.headers = {"Prefer": "code=200, example=empty"}

    with pytest.raises(NotFound) as caught:
        heron.read_link(HERON_LINK)

    assert caught.value.observation is not None
    assert caught.value.observation.cause is Cause.MISSING
