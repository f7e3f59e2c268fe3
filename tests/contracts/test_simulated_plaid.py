"""Our Plaid client against our simulator, with Plaid's document in between: a repair from its page to its result."""

from collections.abc import Iterator

import pytest
import requests

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import InvalidInput, KeysRejected, NewConnectionNeeded, NotFound
from linkadmin.providers.records import SessionEnd
from linkadmin.providers.types import NewSession, Secret
from linkadmin.simulator.heron.guide import STATUS_CHANGE_AFTER
from linkadmin.simulator.plaid.api import CLIENT_ID, SECRET
from linkadmin.simulator.server import Simulator
from tests.environment import HERON_INTEGRATION, Clock

from .calls import NEW_SESSION
from .conftest import plaid_at
from .relay import SECONDS, Relay

pytestmark = pytest.mark.contracts

LINKS = "/api/integrations/{}/links"


@pytest.fixture
def plaid(plaid_judge: Relay) -> Iterator[Provider]:
    yield plaid_at(plaid_judge.url)
    assert plaid_judge.violations == []


def heron(simulator: Simulator, method: str, path: str, body: object = None) -> requests.Response:
    return requests.request(
        method, simulator.url + path, json=body, headers={"x-api-key": "key_sandbox"}, timeout=SECONDS
    )


def broken_item(simulator: Simulator, clock: Clock, item_id: str, *, integration: str = HERON_INTEGRATION) -> None:
    body = {"access_token": "access-sandbox", "end_user_id": "plaid-1", "item_id": item_id}
    heron(simulator, "POST", LINKS.format(integration), body)
    clock.forward(STATUS_CHANGE_AFTER)


def session_of(item_id: str) -> NewSession:
    token = Secret(f"access-sandbox-{item_id}")
    return NewSession(token, item_id, "ref", "Linkadmin", "en", 3600, "http://127.0.0.1/done/")


def choose(url: Secret, outcome: str) -> requests.Response:
    requests.get(url.reveal(), timeout=SECONDS)
    return requests.post(url.reveal(), data={"outcome": outcome}, allow_redirects=False, timeout=SECONDS)


def test_the_keys_are_accepted(plaid: Provider) -> None:
    assert plaid.test_connection().detail == "OK"


def test_a_customer_who_signs_in_repairs_the_link_with_the_next_refresh(
    plaid: Provider, simulator: Simulator, clock: Clock
) -> None:
    broken_item(simulator, clock, "login-required-repaired")
    made = plaid.create_session(session_of("login-required-repaired"))
    assert plaid.read_session(made.token).is_started is False

    page = requests.get(made.url.reveal(), timeout=SECONDS)
    assert (page.status_code, "Linkadmin asks you" in page.text) == (200, True)
    assert (plaid.read_session(made.token).is_started, plaid.read_session(made.token).end) == (True, None)

    left = choose(made.url, "repaired")
    assert (left.status_code, left.headers["Location"]) == (303, "http://127.0.0.1/done/")
    assert plaid.read_session(made.token).end is SessionEnd.FINISHED
    assert simulator.snapshot()["heron"]["login-required-repaired"][0] == "erroring"

    heron(simulator, "POST", LINKS.format(HERON_INTEGRATION) + "/login-required-repaired/refresh")
    clock.forward(STATUS_CHANGE_AFTER)
    assert simulator.snapshot()["heron"]["login-required-repaired"][:2] == ("active", None)


@pytest.mark.parametrize(("outcome", "code"), [("left", ""), ("failed", "INVALID_CREDENTIALS")])
def test_a_customer_who_leaves_repairs_nothing_and_may_come_back(
    plaid: Provider, simulator: Simulator, clock: Clock, outcome: str, code: str
) -> None:
    item_id = f"login-required-{outcome}"
    broken_item(simulator, clock, item_id)
    made = plaid.create_session(session_of(item_id))

    choose(made.url, outcome)
    result = plaid.read_session(made.token)
    assert (result.end, result.code) == (SessionEnd.LEFT, code)
    heron(simulator, "POST", LINKS.format(HERON_INTEGRATION) + f"/{item_id}/refresh")
    clock.forward(STATUS_CHANGE_AFTER)
    assert simulator.snapshot()["heron"][item_id][0] == "erroring"

    choose(made.url, "repaired")
    assert plaid.read_session(made.token).end is SessionEnd.FINISHED


def test_a_page_expires(plaid: Provider, simulator: Simulator, clock: Clock) -> None:
    broken_item(simulator, clock, "login-required-late")
    made = plaid.create_session(session_of("login-required-late"))
    clock.forward(3600)

    page = choose(made.url, "repaired")

    assert (page.status_code, "has expired" in page.text) == (410, True)
    assert plaid.read_session(made.token).is_started is False


def test_an_item_without_update_mode_has_to_be_connected_again(
    plaid: Provider, simulator: Simulator, clock: Clock
) -> None:
    broken_item(simulator, clock, "login-required-report", integration="itg_sandbox_assets")
    broken_item(simulator, clock, "deleted-item")
    broken_item(simulator, clock, "revoked-item")

    for item_id, code in (
        ("login-required-report", "PRODUCTS_NOT_SUPPORTED"),
        ("deleted-item", "ITEM_NOT_FOUND"),
        ("revoked-item", "USER_PERMISSION_REVOKED"),
    ):
        with pytest.raises(NewConnectionNeeded) as caught:
            plaid.create_session(session_of(item_id))
        assert caught.value.failure.code == code


def test_wrong_tokens_and_keys_are_rejected(plaid: Provider, plaid_judge: Relay) -> None:
    with pytest.raises(InvalidInput):
        plaid.create_session(NEW_SESSION)
    with pytest.raises(NotFound):
        plaid.read_session(Secret("link-sandbox-unknown"))
    wrong = type(plaid)(
        base_url=plaid_judge.url,
        options={"countries": "US"},
        secrets={"client_id": Secret(CLIENT_ID), "secret": Secret("another-secret")},
        admission=plaid._http._admission,
        allow_loopback=True,
    )
    with pytest.raises(KeysRejected):
        wrong.test_connection()


def test_the_key_of_webhooks_is_read(plaid: Provider, simulator: Simulator) -> None:
    key = simulator.store.plaid_key

    assert (key.kid in plaid.read_webhook_key(key.kid).jwk, plaid.read_webhook_key(key.kid).is_expired) == (True, False)
    with pytest.raises(NotFound):
        plaid.read_webhook_key("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("code", ["ERROR", "LOGIN_REPAIRED", "PENDING_DISCONNECT"])
def test_a_webhook_is_fired_for_an_item(plaid_judge: Relay, simulator: Simulator, clock: Clock, code: str) -> None:
    broken_item(simulator, clock, "login-required-fired")
    body = {"client_id": CLIENT_ID, "secret": SECRET, "webhook_code": code}

    answer = requests.post(
        f"{plaid_judge.url}/sandbox/item/fire_webhook",
        json={**body, "access_token": "access-sandbox-login-required-fired"},
        timeout=SECONDS,
    )

    assert (answer.status_code, plaid_judge.violations) == (200, [])
