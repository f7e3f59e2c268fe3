"""Both providers against the simulator: from the first call to a repaired link."""

from collections.abc import Iterator

import pytest

from linkadmin.providers import get_provider
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import (
    Busy,
    CodeRequired,
    CodeTooLate,
    Duplicate,
    KeysRefused,
    LoginRefused,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
)
from linkadmin.providers.types import Cause, Challenge, ChallengeKind, LinkRef, NewLink, RemoteLink, Secret
from linkadmin.simulator.server import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(port=0, record=True) as simulator:
        yield simulator


def belvo_of(simulator: Simulator, password: str = "sandbox-password") -> Provider:
    keys = {"secret_id": Secret("sandbox-id"), "secret_password": Secret(password)}
    return get_provider("belvo", base_url=simulator.url, options={}, secrets=keys, allow_loopback=True)


def heron_of(simulator: Simulator, key: str = "key_sandbox") -> Provider:
    options = {"integration_id": "itg_sandbox_transactions"}
    keys = {"api_key": Secret(key)}
    return get_provider("heron", base_url=simulator.url, options=options, secrets=keys, allow_loopback=True)


@pytest.fixture
def belvo(simulator: Simulator) -> Provider:
    return belvo_of(simulator)


@pytest.fixture
def heron(simulator: Simulator) -> Provider:
    return heron_of(simulator)


def register(belvo: Provider, password: str = "pass_valid", institution: str = "heimdall_mx_retail") -> RemoteLink:
    values = {"username": Secret("maria"), "password": Secret(password)}
    return belvo.create_link(NewLink("cust-0001", "Maria's Bakery", institution, values))


def challenge_of(belvo: Provider, link: RemoteLink, password: str) -> Challenge:
    with pytest.raises(CodeRequired) as caught:
        belvo.update_credentials(LinkRef(link.remote_id, "cust-0001"), {"password": Secret(password)})
    return caught.value.challenge


def submit(belvo: Provider, challenge: Challenge, code: str) -> RemoteLink:
    return belvo.submit_token(
        session=challenge.session, remote_link_id=challenge.remote_link_id, token=Secret(code) if code else None
    )


def test_a_belvo_link_is_repaired_by_a_wrong_and_then_a_right_code(belvo: Provider) -> None:
    link = register(belvo)
    first = challenge_of(belvo, link, "numeric_code")
    assert (first.kind, bool(first.value)) == (ChallengeKind.NUMERIC, True)
    with pytest.raises(CodeRequired) as caught:
        submit(belvo, first, "999999")
    second = caught.value.challenge
    assert second.session.reveal() != first.session.reveal()
    assert submit(belvo, second, "111111").observation.cause is Cause.WORKING
    assert belvo.read_link(LinkRef(link.remote_id, "cust-0001")).observation.cause is Cause.WORKING


@pytest.mark.parametrize(
    ("password", "kind", "code"),
    [
        ("mfa_default", ChallengeKind.CODE, "111111"),
        ("mfa_qr", ChallengeKind.QR, "111111"),
        ("mfa_text", ChallengeKind.TEXT, "111111"),
        ("mfa_approve", ChallengeKind.APPROVE, ""),
        ("mfa_array", ChallengeKind.CODE, "111111"),
        ("mfa_object", ChallengeKind.CODE, "111111"),
    ],
)
def test_each_kind_of_code_repairs_a_link(belvo: Provider, password: str, kind: ChallengeKind, code: str) -> None:
    challenge = challenge_of(belvo, register(belvo), password)
    assert challenge.kind is kind
    assert challenge.expects_input is bool(code)
    assert submit(belvo, challenge, code).observation.cause is Cause.WORKING


@pytest.mark.parametrize(
    ("password", "kind", "cause"),
    [
        ("pass_invalid", LoginRefused, Cause.PASSWORD_WRONG),
        ("account_locked", LoginRefused, Cause.ACCOUNT_LOCKED),
        ("access_forbidden", LoginRefused, Cause.ACCESS_FORBIDDEN),
        ("mfa_unsupported", Rejected, Cause.CODE_UNSUPPORTED),
        ("unexpected", Rejected, Cause.BANK_TROUBLE),
        ("too_many", Busy, Cause.SESSION_OPEN),
        ("bank_down", Rejected, Cause.BANK_DOWN),
        ("activation", Rejected, Cause.NOT_ACTIVATED),
        ("expired_creds", Rejected, Cause.STORAGE_ENDED),
        ("consent_empty", Rejected, Cause.CONSENT_WITHOUT_ACCOUNTS),
        ("denied_403", KeysRefused, None),
        ("html_403", KeysRefused, None),
        ("rate_429", Busy, None),
        ("timeout_408", OutcomeUnknown, Cause.PROVIDER_TROUBLE),
        ("server_error", OutcomeUnknown, Cause.PROVIDER_TROUBLE),
        ("lost_after", OutcomeUnknown, None),
        ("unreadable", OutcomeUnknown, None),
        ("cut_body", OutcomeUnknown, None),
    ],
)
def test_each_trouble_of_an_update_has_its_class_and_cause(
    belvo: Provider, password: str, kind: type[ProviderError], cause: Cause | None
) -> None:
    link = register(belvo)
    with pytest.raises(ProviderError) as caught:
        belvo.update_credentials(LinkRef(link.remote_id, "cust-0001"), {"password": Secret(password)})
    assert type(caught.value) is kind
    assert (caught.value.observation.cause if caught.value.observation else None) is cause


def test_an_attempt_that_was_used_is_too_late(belvo: Provider) -> None:
    challenge = challenge_of(belvo, register(belvo), "mfa_default")
    submit(belvo, challenge, "111111")
    with pytest.raises(CodeTooLate):
        submit(belvo, challenge, "111111")


def test_a_lost_registration_is_found_by_reading(belvo: Provider) -> None:
    with pytest.raises(OutcomeUnknown):
        register(belvo, "lost_after")
    found = belvo.find_link(remote_id="", end_user_id="cust-0001", institution="heimdall_mx_retail")
    assert [link.institution for link in found] == ["heimdall_mx_retail"]


def test_a_second_registration_is_a_duplicate(belvo: Provider) -> None:
    register(belvo)
    with pytest.raises(Duplicate):
        register(belvo)


def test_every_institution_of_the_catalogue_has_a_form(belvo: Provider) -> None:
    institutions = list(belvo.list_institutions())
    assert len(institutions) >= 6
    assert all(belvo.create_fields(institution) for institution in institutions)
    repairable = {one.name for one in institutions if belvo.update_fields(one)}
    assert "erebor_mx_retail" in repairable
    assert "ofmockbank_br_retail" not in repairable


def test_a_wrong_key_is_the_integrations_trouble(simulator: Simulator) -> None:
    for provider in (belvo_of(simulator, "another"), heron_of(simulator, "key_another")):
        with pytest.raises(KeysRefused):
            provider.test_connection()


def test_good_keys_are_proven(belvo: Provider, heron: Provider) -> None:
    assert belvo.test_connection().detail
    assert heron.test_connection().detail


def heron_link(heron: Provider, item_id: str = "item-1", token: str = "access-sandbox") -> RemoteLink:
    return heron.create_link(
        NewLink("cust-0001", "Blue Fern Bakery", "", {"item_id": item_id, "access_token": Secret(token)})
    )


def test_a_heron_link_is_created_and_read_again(simulator: Simulator, heron: Provider) -> None:
    created = heron_link(heron)
    assert created.data_source_id
    assert heron.read_link(LinkRef("item-1", "cust-0001")).remote_id == "item-1"
    (sent,) = [call for call in simulator.calls if call.method == "POST"]
    assert sent.path == "/api/integrations/itg_sandbox_transactions/links"
    assert set(sent.body) == {"access_token", "end_user_id", "end_user_name", "item_id"}


def test_a_lost_create_at_heron_is_found_by_reading(heron: Provider) -> None:
    with pytest.raises(OutcomeUnknown):
        heron_link(heron, token="access-lost")
    assert len(heron.find_link(remote_id="item-1", end_user_id="cust-0001", institution="")) == 1


def test_a_create_that_never_arrived_is_not_found(heron: Provider) -> None:
    with pytest.raises(OutcomeUnknown):
        heron_link(heron, token="access-lost-before")
    assert heron.find_link(remote_id="item-1", end_user_id="cust-0001", institution="") == []
    with pytest.raises(NotFound):
        heron.read_link(LinkRef("item-1", "cust-0001"))


@pytest.mark.parametrize("token", ["access-409", "access-known"])
def test_an_item_that_heron_knows_is_a_duplicate(heron: Provider, token: str) -> None:
    with pytest.raises(Duplicate):
        heron_link(heron, token=token)


def test_a_refused_token_is_told_at_its_field(heron: Provider) -> None:
    with pytest.raises(Rejected) as caught:
        heron_link(heron, token="access-invalid")
    assert "access_token" in caught.value.failure.fields
