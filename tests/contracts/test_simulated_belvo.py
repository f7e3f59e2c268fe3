"""The simulated Belvo follows Belvo's document, except where it breaks it on purpose."""

import itertools
from contextlib import suppress

import pytest

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import CodeRequired, OutcomeUnknown, ProviderError, SignInRejected
from linkadmin.providers.types import Challenge, LinkRef, NewLink, RemoteLink, Secret
from linkadmin.simulator.belvo.guide import CODES, TRIGGERS, WRONG_CODES_UNTIL_LOCKED
from linkadmin.simulator.server import Simulator

from .calls import BELVO, CUSTOMER, RETURN_URLS, made, secrets
from .conftest import belvo_at
from .relay import Relay

pytestmark = pytest.mark.contracts

NO_ANSWER = "the connection ends without an answer"
BREAKING_WORDS = {"lost_before": NO_ANSWER, "lost_after": NO_ANSWER, "unreadable": "the JSON ends too early"}
BREAKING_CODES = {"100001": NO_ANSWER, "100002": NO_ANSWER}
NOT_TRIED = {
    "cut_body": "fewer bytes than announced: Prism waits for the rest for ever",
    "100005": "the answer of the right code, five seconds later",
}
WORDS = [word for trigger in TRIGGERS for word in (f"{text}1" if trigger.timed else text for text in trigger.words)]
KEPT_WORDS = [word for word in WORDS if word not in BREAKING_WORDS.keys() | NOT_TRIED.keys()]
CODES_AS_TYPED = [code for trigger in CODES for code in trigger.words]
KEPT_CODES = [code for code in CODES_AS_TYPED if code not in BREAKING_CODES.keys() | NOT_TRIED.keys()]
CHALLENGES = ("mfa_default", "mfa_numeric", "mfa_qr", "mfa_text", "mfa_approve", "mfa_array", "mfa_object")

people = itertools.count()


@pytest.fixture
def belvo(belvo_judge: Relay) -> Provider:
    return belvo_at(belvo_judge.url)


def register(belvo: Provider, password: str = "pass_valid") -> RemoteLink:
    values = secrets(username=f"maria{next(people)}", password=password)
    return belvo.create_link(NewLink(CUSTOMER, "", "erebor_mx_retail", values))


def update(belvo: Provider, password: str) -> RemoteLink:
    link = register(belvo)
    return belvo.update_credentials(LinkRef(link.remote_id, CUSTOMER), secrets(password=password))


def challenge_of(belvo: Provider, password: str) -> Challenge:
    with pytest.raises(CodeRequired) as caught:
        update(belvo, password)
    return caught.value.challenge


def submit(belvo: Provider, challenge: Challenge, code: str) -> RemoteLink:
    token = Secret(code) if code else None
    return belvo.submit_code(session=challenge.session, remote_link_id=challenge.remote_link_id, code=token)


def assert_answered_by(simulator: Simulator, judge: Relay) -> None:
    """Check that the response is the simulator's own, and that Prism found no violation."""
    assert judge.violations == []
    assert judge.exchanges[-1].status == simulator.calls[-1].status


def test_every_call_of_the_client_is_answered_as_documented(belvo_judge: Relay, belvo: Provider) -> None:
    link = LinkRef(submit(belvo, challenge_of(belvo, "mfa_default"), "111111").remote_id, CUSTOMER)
    bank = next(iter(belvo.list_institutions()))
    belvo.test_connection()
    belvo.find_institutions({"name": bank.name})
    belvo.read_institution(bank.remote_id)
    belvo.list_links({})
    belvo.list_links({}, whole=True)
    belvo.read_links([link])
    belvo.read_link(link)
    belvo.find_link(remote_id="", end_user_id=CUSTOMER, institution="erebor_mx_retail")
    belvo.refresh_data(link, {})
    belvo.change_settings(link, {"stale_in": "30d"})
    belvo.create_repair_url(link, {"locale": "es"}, RETURN_URLS)
    belvo.remove_link(link, {})

    assert made(belvo_judge.exchanges, BELVO) == BELVO.keys()
    assert belvo_judge.violations == []


@pytest.mark.parametrize("word", KEPT_WORDS)
def test_a_word_at_registration_is_answered_as_documented(
    simulator: Simulator, belvo_judge: Relay, belvo: Provider, word: str
) -> None:
    with suppress(ProviderError):
        register(belvo, word)

    assert_answered_by(simulator, belvo_judge)


@pytest.mark.parametrize("word", KEPT_WORDS)
def test_a_word_at_an_update_is_answered_as_documented(
    simulator: Simulator, belvo_judge: Relay, belvo: Provider, word: str
) -> None:
    with suppress(ProviderError):
        update(belvo, word)

    assert_answered_by(simulator, belvo_judge)


@pytest.mark.parametrize("word", CHALLENGES)
def test_each_challenge_is_met_as_documented(
    simulator: Simulator, belvo_judge: Relay, belvo: Provider, word: str
) -> None:
    challenge = challenge_of(belvo, word)

    submit(belvo, challenge, "111111" if challenge.expects_input else "")

    assert_answered_by(simulator, belvo_judge)


@pytest.mark.parametrize("code", KEPT_CODES)
def test_each_code_is_answered_as_documented(
    simulator: Simulator, belvo_judge: Relay, belvo: Provider, code: str
) -> None:
    challenge = challenge_of(belvo, "mfa_default")

    with suppress(ProviderError):
        submit(belvo, challenge, code)

    assert_answered_by(simulator, belvo_judge)


def test_wrong_codes_are_answered_as_documented_until_the_account_is_locked(
    simulator: Simulator, belvo_judge: Relay, belvo: Provider
) -> None:
    challenge = challenge_of(belvo, "mfa_array")

    for _ in range(WRONG_CODES_UNTIL_LOCKED - 1):
        with pytest.raises(CodeRequired) as caught:
            submit(belvo, challenge, "999999")
        challenge = caught.value.challenge
    with pytest.raises(SignInRejected):
        submit(belvo, challenge, "999999")

    assert_answered_by(simulator, belvo_judge)


@pytest.mark.parametrize("word", BREAKING_WORDS)
def test_a_word_that_breaks_the_contract_on_purpose_is_noticed(belvo_judge: Relay, belvo: Provider, word: str) -> None:
    with pytest.raises(OutcomeUnknown):
        register(belvo, word)

    assert len(belvo_judge.violations) == 1


@pytest.mark.parametrize("code", BREAKING_CODES)
def test_a_code_that_breaks_the_contract_on_purpose_is_noticed(belvo_judge: Relay, belvo: Provider, code: str) -> None:
    challenge = challenge_of(belvo, "mfa_default")

    with pytest.raises(OutcomeUnknown):
        submit(belvo, challenge, code)

    assert len(belvo_judge.violations) == 1
