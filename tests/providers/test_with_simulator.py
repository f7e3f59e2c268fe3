"""Both providers with the simulator: from the first call to a repaired link."""

from collections.abc import Iterator

import pytest

from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import (
    Blocked,
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
from linkadmin.providers.records import ReportsRefreshed
from linkadmin.providers.types import Cause, Challenge, ChallengeKind, LinkRef, NewLink, RemoteLink, Secret
from linkadmin.simulator.server import Simulator
from tests.environment import Clock

from .conftest import RecordingAdmission


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(port=0, record=True) as simulator:
        yield simulator


def belvo_of(simulator: Simulator, password: str = "sandbox-password") -> Provider:
    keys = {"secret_id": Secret("sandbox-id"), "secret_password": Secret(password)}
    return provider_class("belvo")(
        base_url=simulator.url, options={}, secrets=keys, admission=RecordingAdmission(retries=0), allow_loopback=True
    )


def heron_of(simulator: Simulator, key: str = "key_sandbox", integration: str = "itg_sandbox_transactions") -> Provider:
    options = {"integration_id": integration}
    keys = {"api_key": Secret(key)}
    return provider_class("heron")(
        base_url=simulator.url,
        options=options,
        secrets=keys,
        admission=RecordingAdmission(retries=0),
        allow_loopback=True,
    )


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
    return belvo.submit_code(
        session=challenge.session, remote_link_id=challenge.remote_link_id, code=Secret(code) if code else None
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
        ("pass_invalid", SignInRejected, Cause.PASSWORD_WRONG),
        ("account_locked", SignInRejected, Cause.ACCOUNT_LOCKED),
        ("access_forbidden", SignInRejected, Cause.ACCESS_FORBIDDEN),
        ("mfa_unsupported", Rejected, Cause.CODE_UNSUPPORTED),
        ("unexpected", Rejected, Cause.BANK_TROUBLE),
        ("too_many", Busy, Cause.SESSION_OPEN),
        ("bank_down", Rejected, Cause.BANK_DOWN),
        ("activation", Rejected, Cause.NOT_ACTIVATED),
        ("expired_creds", Rejected, Cause.STORAGE_ENDED),
        ("consent_empty", Rejected, Cause.CONSENT_WITHOUT_ACCOUNTS),
        ("denied_403", KeysRejected, None),
        ("html_403", Blocked, None),
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
    with pytest.raises(CodeExpired):
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


def test_every_listed_institution_has_a_form(belvo: Provider) -> None:
    institutions = list(belvo.list_institutions())
    assert len(institutions) >= 6
    assert all(belvo.create_fields(institution) for institution in institutions)
    repairable = {one.name for one in institutions if belvo.update_fields(one)}
    assert "erebor_mx_retail" in repairable
    assert "ofmockbank_br_retail" not in repairable


def test_a_wrong_key_is_the_integrations_trouble(simulator: Simulator) -> None:
    for provider in (belvo_of(simulator, "another"), heron_of(simulator, "key_another")):
        with pytest.raises(KeysRejected):
            provider.test_connection()


def test_good_keys_are_verified(belvo: Provider, heron: Provider) -> None:
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


def test_a_rejected_token_is_an_error_at_its_field(heron: Provider) -> None:
    with pytest.raises(Rejected) as caught:
        heron_link(heron, token="access-invalid")
    assert "access_token" in caught.value.failure.fields


def test_a_belvo_links_settings_are_changed_and_read_again(belvo: Provider) -> None:
    ref = LinkRef(register(belvo).remote_id, "cust-0001")
    changed = belvo.change_settings(ref, {"access_mode": "single", "stale_in": "30d", "resources": ("ACCOUNTS",)})
    assert (changed.access_mode, changed.stale_in, changed.resources) == ("single", "30d", ("ACCOUNTS",))
    again = belvo.read_link(ref)
    assert (again.access_mode, again.stale_in, again.resources) == ("single", "30d", ("ACCOUNTS",))


def test_what_the_institution_does_not_offer_cannot_be_fetched(belvo: Provider) -> None:
    ref = LinkRef(register(belvo).remote_id, "cust-0001")
    with pytest.raises(InvalidInput):
        belvo.change_settings(ref, {"resources": ("INVOICES",)})
    with pytest.raises(InvalidInput):
        belvo.refresh_data(ref, {"resources": ("INVOICES",)})


def test_a_second_fetch_within_ten_minutes_has_to_wait(belvo: Provider) -> None:
    ref = LinkRef(register(belvo).remote_id, "cust-0001")
    assert belvo.refresh_data(ref, {"resources": ("ACCOUNTS",)}).request_id
    with pytest.raises(Busy) as caught:
        belvo.refresh_data(ref, {})
    assert (caught.value.failure.retry_after or 0) > 0


@pytest.mark.parametrize(("how", "finished"), [("at_once", True), ("in_background", False)])
def test_a_removed_belvo_link_goes(belvo: Provider, how: str, finished: bool) -> None:
    ref = LinkRef(register(belvo).remote_id, "cust-0001")
    assert belvo.remove_link(ref, {"how": how}).finished is finished
    if finished:
        with pytest.raises(NotFound):
            belvo.read_link(ref)


def test_a_repair_url_is_created_with_our_keys(simulator: Simulator, belvo: Provider) -> None:
    ref = LinkRef(register(belvo).remote_id, "cust-0001")
    address = belvo.create_repair_url(ref, {"locale": "pt"})
    assert address.url.reveal().startswith(f"{simulator.url}/widget.belvo.io/?access_token=")
    (sent,) = [call for call in simulator.calls if call.path == "/api/token/"]
    assert sent.body["link_id"] == ref.remote_id
    with pytest.raises(KeysRejected):
        belvo_of(simulator, "another").create_repair_url(ref, {})


def test_belvo_links_are_listed_by_what_they_are(belvo: Provider) -> None:
    link = register(belvo)
    register(belvo, institution="erebor_mx_retail")
    assert belvo.list_links({}).total == 2
    page = belvo.list_links({"institution": "heimdall_mx_retail,nowhere_mx_retail", "status": ("valid", "invalid")})
    assert ([one.remote_id for one in page.items], page.is_last) == ([link.remote_id], True)


def test_institutions_are_found_and_read_one_by_one(belvo: Provider) -> None:
    page = belvo.find_institutions({"country_code": "MX", "type": ("fiscal",)})
    assert page.items
    assert {bank.kind for bank in page.items} == {"fiscal"}
    assert belvo.read_institution(page.items[0].remote_id).name == page.items[0].name
    with pytest.raises(NotFound):
        belvo.read_institution("999999")


def open_finance_link(belvo: Provider, cpf: str) -> LinkRef:
    values = {"username": Secret(cpf)}
    link = belvo.create_link(NewLink("cust-0001", "Maria's Bakery", "ofmockbank_br_retail", values))
    return LinkRef(link.remote_id, "cust-0001", integration_type="openfinance")


@pytest.mark.parametrize(
    ("cpf", "cause"),
    [
        ("12345678901", Cause.WORKING),
        ("10000000001", Cause.CONSENT_UNFINISHED),
        ("10000000003", Cause.CONSENT_REJECTED),
        ("10000000004", Cause.PORTAL_CONSENT_EXPIRED),
    ],
)
def test_the_consent_of_a_link_of_open_finance_has_its_cause(belvo: Provider, cpf: str, cause: Cause) -> None:
    ref = open_finance_link(belvo, cpf)
    open_finance_link(belvo, "12345678902")
    (consent,) = belvo.list_consents(ref)
    assert (consent.observation.cause, consent.remote_link_id) == (cause, ref.remote_id)
    assert (consent.observation.renew_by is not None) is (cause is Cause.WORKING)


def test_a_link_with_a_login_has_no_consent(belvo: Provider) -> None:
    assert belvo.list_consents(LinkRef(register(belvo).remote_id, "cust-0001")) == []


def test_a_heron_link_is_synced_now(heron: Provider) -> None:
    heron_link(heron)
    accepted = heron.refresh_data(LinkRef("item-1", "cust-0001"), {})
    assert accepted.link is not None
    assert accepted.link.remote_id == "item-1"
    with pytest.raises(NotFound):
        heron.refresh_data(LinkRef("item-2", "cust-0001"), {})


def test_a_heron_link_takes_a_new_token(heron: Provider) -> None:
    heron_link(heron)
    ref = LinkRef("item-1", "cust-0001")
    assert heron.replace_token(ref, {"access_token": Secret("access-sandbox-2")}).remote_id == "item-1"
    with pytest.raises(NotFound):
        heron.replace_token(LinkRef("item-2", "cust-0001"), {"access_token": Secret("access-sandbox-2")})


def test_all_heron_links_of_a_customer_end_together(heron: Provider) -> None:
    heron_link(heron)
    heron_link(heron, "item-2")
    assert heron.remove_link(LinkRef("item-1", "cust-0001"), {}).cause is Cause.SWITCHED_OFF
    causes = [link.observation.cause for link in heron.list_links({"end_user_id": "cust-0001"}).items]
    assert causes == [Cause.SWITCHED_OFF] * 2


def test_heron_links_are_listed_here_and_everywhere(simulator: Simulator, heron: Provider) -> None:
    elsewhere = heron_of(simulator, integration="itg_sandbox_assets")
    heron_link(heron)
    heron_link(elsewhere, "item-2")
    here = heron.list_links({"end_user_id": "cust-0001", "everywhere": "no"})
    everywhere = heron.list_links({"end_user_id": "cust-0001", "everywhere": "yes"})
    assert [link.remote_id for link in here.items] == ["item-1"]
    assert {link.remote_id for link in everywhere.items} == {"item-1", "item-2"}


def test_a_customer_is_added_to_heron_found_and_read(heron: Provider) -> None:
    heron.create_end_user("cust-0007", "Harbour Tools Ltd")
    heron_link(heron)
    page = heron.list_end_users({"name": "Harbour Tools Ltd"})
    assert ([one.end_user_id for one in page.items], page.is_last, page.total) == (["cust-0007"], True, 1)
    assert heron.read_end_user("cust-0007").remote_id == page.items[0].remote_id
    assert heron.read_processing("cust-0007") in {"processing", "processed"}
    with pytest.raises(NotFound):
        heron.read_end_user("cust-9999")


def test_a_source_leads_to_its_link_and_can_be_left_out(heron: Provider) -> None:
    heron_link(heron)
    (source,) = heron.list_data_sources("cust-0001")
    assert (source.remote_link_id, source.enabled) == ("item-1", True)
    assert not heron.switch_data_source(source.remote_id, enabled=False).enabled
    assert [one.enabled for one in heron.list_data_sources("cust-0001")] == [False]


def test_a_subscription_is_made_paused_and_ended(heron: Provider) -> None:
    topic = heron.list_webhook_topics()[0]
    made = heron.add_webhook(topic, "https://links.example.test/hooks/heron/")
    assert [hook.remote_id for hook in heron.list_webhooks()] == [made.remote_id]
    assert not heron.switch_webhook(made, enabled=False).enabled
    heron.remove_webhook(made.remote_id)
    assert heron.list_webhooks() == []
    with pytest.raises(NotFound):
        heron.remove_webhook(made.remote_id)


def test_connectors_are_listed(heron: Provider) -> None:
    assert "itg_sandbox_transactions" in [connector.remote_id for connector in heron.list_connectors()]


def test_reports_are_regenerated_where_there_are_any() -> None:
    clock = Clock()
    with Simulator(port=0, clock=clock) as simulator:
        reports = heron_of(simulator, integration="itg_sandbox_assets")
        for item_id in ("item-1", "item-2", "locked-3"):
            heron_link(reports, item_id)
        clock.forward(60)
        assert reports.regenerate_reports("cust-0001") == ReportsRefreshed(processed=2, failed=("locked-3",))
        with pytest.raises(NotFound) as caught:
            heron_of(simulator).regenerate_reports("")
    assert caught.value.failure.reason == "no_reports"
