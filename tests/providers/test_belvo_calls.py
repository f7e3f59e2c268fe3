"""Belvo: exact requests, and every shape of a success and of a challenge."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from linkadmin.providers.errors import CodeRequired, InvalidInput, NotFound, OutcomeUnknown, Unsupported
from linkadmin.providers.types import Cause, Challenge, ChallengeKind, LinkRef, NewLink, Secret

from .conftest import Script, belvo_at, reply
from .shapes import LINK_ID, SESSION, WANTED

Serve = Callable[..., Script]

LINK = LinkRef(LINK_ID, "cust-0001")
GOOD_LINK = {
    "id": LINK_ID,
    "institution": "erebor_mx_retail",
    "access_mode": "recurrent",
    "last_accessed_at": "2021-03-09T10:28:40.000Z",
    "status": "valid",
    "created_by": "bcef7f35-67f2-4b19-b009-cb38795faf09",
    "refresh_rate": "7d",
}
REGISTERED = {**GOOD_LINK, "external_id": "cust-0001"}


def secrets(**values: str) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in values.items()}


def test_credentials_are_put_with_every_field_that_was_filled(serve: Serve) -> None:
    filled = {
        "password": "new",
        "password2": "second",
        "token": "111111",
        "encryption_key": "key",
        "username_type": "103",
        "certificate": "Y2VydA==",
        "private_key": "a2V5",
    }
    script = serve(reply(200, GOOD_LINK))
    belvo_at(script.url).update_credentials(LINK, {**secrets(**filled), "username": Secret("cannot be changed")})
    (sent,) = script.received
    assert (sent.method, sent.path) == ("PUT", f"/api/links/{LINK_ID}/")
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["authorization"] == "Basic " + base64.b64encode(b"our-secret-id:our-secret-password").decode()
    assert sent.body == filled


def test_empty_fields_are_not_put(serve: Serve) -> None:
    script = serve(reply(200, GOOD_LINK))
    belvo_at(script.url).update_credentials(LINK, secrets(password="new", password2="", certificate=""))
    assert script.received[0].body == {"password": "new"}


def test_an_attempt_is_resumed_by_a_patch_without_an_id_in_the_path(serve: Serve) -> None:
    script = serve(reply(201, GOOD_LINK))
    belvo_at(script.url).submit_code(session=Secret(SESSION), remote_link_id=LINK_ID, code=Secret("111111"))
    (sent,) = script.received
    assert (sent.method, sent.path) == ("PATCH", "/api/links/")
    assert sent.body == {"session": SESSION, "link": LINK_ID, "token": "111111"}


def test_an_attempt_that_expects_no_input_is_resumed_without_a_token(serve: Serve) -> None:
    script = serve(reply(200, GOOD_LINK))
    belvo_at(script.url).submit_code(session=Secret(SESSION), remote_link_id=LINK_ID, code=None)
    assert script.received[0].body == {"session": SESSION, "link": LINK_ID}


def test_a_link_is_registered_with_the_typed_fields_and_our_customer_id(serve: Serve) -> None:
    script = serve(reply(201, GOOD_LINK))
    values = {**secrets(username="maria", password="pw"), "username_type": "103", "access_mode": "single"}
    belvo_at(script.url).create_link(NewLink("cust-0001", "Maria's Bakery", "erebor_mx_retail", values))
    (sent,) = script.received
    assert (sent.method, sent.path) == ("POST", "/api/links/")
    assert sent.body == {
        "institution": "erebor_mx_retail",
        "username": "maria",
        "password": "pw",
        "username_type": "103",
        "access_mode": "single",
        "external_id": "cust-0001",
    }


@pytest.mark.parametrize("end_user_id", ["ab", "maria@example.com", "cust 1"])
def test_a_customer_id_that_belvo_would_drop_is_not_sent(serve: Serve, end_user_id: str) -> None:
    script = serve(reply(201, GOOD_LINK))
    belvo_at(script.url).create_link(NewLink(end_user_id, "", "erebor_mx_retail", secrets(username="u")))
    assert "external_id" not in script.received[0].body


def test_a_links_seven_documented_fields_are_enough(serve: Serve) -> None:
    link = belvo_at(serve(reply(200, GOOD_LINK)).url).read_link(LINK)
    assert (link.remote_id, link.institution, link.access_mode) == (LINK_ID, "erebor_mx_retail", "recurrent")
    assert link.observation.cause is Cause.WORKING
    assert link.observation.last_good_at == datetime(2021, 3, 9, 10, 28, 40, tzinfo=UTC)
    assert link.fresh_for == timedelta(days=15)


@pytest.mark.parametrize("key", ["id", "institution", "status"])
def test_a_link_without_one_of_its_three_needed_fields_is_unreadable(serve: Serve, key: str) -> None:
    with pytest.raises(OutcomeUnknown):
        belvo_at(serve(reply(200, {**GOOD_LINK, key: None})).url).read_link(LINK)


def test_a_link_survives_new_fields_and_odd_values(serve: Serve) -> None:
    odd = {**GOOD_LINK, "brand_new": {"a": 1}, "refresh_rate": None, "last_accessed_at": "yesterday", "created_at": 7}
    link = belvo_at(serve(reply(200, odd)).url).read_link(LINK)
    assert (link.refresh_rate, link.last_accessed_at, link.created_at, link.fresh_for) == ("", None, None, None)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"status": "valid"}, Cause.WORKING),
        ({"status": "invalid"}, Cause.LOGIN_REFUSED),
        ({"status": "token_required"}, Cause.CODE_NEEDED),
        ({"status": "unconfirmed"}, Cause.UNCONFIRMED),
        ({"status": "hibernating"}, Cause.UNRECOGNIZED),
        ({"status": "invalid", "credentials_storage": "nostore"}, Cause.STORAGE_ENDED),
        (
            {"status": "invalid", "credentials_storage": "30d", "created_at": "2022-02-09T08:45:50Z"},
            Cause.STORAGE_ENDED,
        ),
        (
            {"status": "invalid", "credentials_storage": "365d", "created_at": datetime.now(UTC).isoformat()},
            Cause.LOGIN_REFUSED,
        ),
        ({"status": "invalid", "credentials_storage": "store"}, Cause.LOGIN_REFUSED),
    ],
)
def test_each_status_has_its_cause(serve: Serve, changes: dict[str, object], cause: Cause) -> None:
    link = belvo_at(serve(reply(200, {**GOOD_LINK, **changes})).url).read_link(LINK)
    assert link.observation.cause is cause
    assert link.observation.raw_status == changes["status"]


@pytest.mark.parametrize(
    ("rate", "mode", "fresh_for"),
    [
        ("6h", "recurrent", timedelta(hours=36)),
        ("30d", "recurrent", timedelta(days=61)),
        ("7d", "single", None),
        ("often", "recurrent", None),
    ],
)
def test_a_link_counts_as_fresh_for_two_turns_and_a_day(
    serve: Serve, rate: str, mode: str, fresh_for: timedelta | None
) -> None:
    body = {**GOOD_LINK, "refresh_rate": rate, "access_mode": mode}
    assert belvo_at(serve(reply(200, body)).url).read_link(LINK).fresh_for == fresh_for


def wanted_code(serve: Serve, body: object) -> Challenge:
    with pytest.raises(CodeRequired) as caught:
        belvo_at(serve(reply(428, body)).url).update_credentials(LINK, secrets(password="pw"))
    return caught.value.challenge


@pytest.mark.parametrize("body", [WANTED, [WANTED], {**WANTED, "code": None}], ids=["object", "list", "old object"])
def test_a_wanted_code_is_understood_in_every_shape(serve: Serve, body: object) -> None:
    challenge = wanted_code(serve, body)
    assert challenge.session.reveal() == SESSION
    assert (challenge.remote_link_id, challenge.expires_in, challenge.kind) == (LINK_ID, 9600, ChallengeKind.CODE)


@pytest.mark.parametrize(
    ("expiry", "seconds"),
    [(720, 720), ("720", 720), (720.0, 720), (None, 300), ("soon", 300), (-5, 300), (True, 300), (10**9, 86_400)],
)
def test_the_time_for_a_code_is_read_from_numbers_and_texts(serve: Serve, expiry: object, seconds: int) -> None:
    assert wanted_code(serve, {**WANTED, "expiry": expiry}).expires_in == seconds


@pytest.mark.parametrize(
    ("data", "kind", "expects_input"),
    [
        (None, ChallengeKind.CODE, True),
        ({}, ChallengeKind.CODE, True),
        ({"type": "numeric", "value": "12345"}, ChallengeKind.NUMERIC, True),
        ({"type": "qr", "value": "iVBORw0KGgo="}, ChallengeKind.QR, True),
        ({"type": "qr_code", "value": "iVBORw0KGgo=", "expects_user_input": False}, ChallengeKind.QR, False),
        ({"type": "text", "value": "Your first pet?"}, ChallengeKind.TEXT, True),
        ({"type": "hologram", "value": "look"}, ChallengeKind.TEXT, True),
        ({"type": "", "value": "", "expects_user_input": False}, ChallengeKind.APPROVE, False),
        ({"expect_user_input": False}, ChallengeKind.APPROVE, False),
        ({"expects_user_input": "false"}, ChallengeKind.APPROVE, False),
        ({"expect_user_input": True}, ChallengeKind.CODE, True),
        (["not", "an", "object"], ChallengeKind.CODE, True),
    ],
)
def test_each_kind_of_challenge_is_distinguished(
    serve: Serve, data: object, kind: ChallengeKind, expects_input: bool
) -> None:
    challenge = wanted_code(serve, [{**WANTED, "token_generation_data": data}])
    assert (challenge.kind, challenge.expects_input) == (kind, expects_input)


def test_a_long_qr_picture_is_not_truncated(serve: Serve) -> None:
    picture = "iVBORw0KGgo" * 1000
    challenge = wanted_code(serve, {**WANTED, "token_generation_data": {"type": "qr", "value": picture}})
    assert challenge.value == picture


def test_a_wanted_code_names_the_link_it_made(serve: Serve) -> None:
    with pytest.raises(CodeRequired) as caught:
        belvo_at(serve(reply(428, [WANTED])).url).create_link(NewLink("cust-0001", "", "heimdall_mx_retail", {}))
    assert caught.value.challenge.remote_link_id == LINK_ID
    assert caught.value.observation is not None
    assert caught.value.observation.cause is Cause.CODE_WAITING


def test_a_wanted_code_without_a_session_cannot_be_resumed(serve: Serve) -> None:
    with pytest.raises(OutcomeUnknown):
        belvo_at(serve(reply(428, {**WANTED, "session": None})).url).update_credentials(LINK, secrets(password="pw"))


def test_institutions_are_read_page_by_page_from_our_own_host(serve: Serve) -> None:
    elsewhere = serve(reply(200, {"results": []}))
    first = {"results": [{"id": 1, "name": "one", "country_codes": ["MX"]}], "next": f"{elsewhere.url}/?page=2"}
    second = {"results": [{"id": 2, "name": "two", "features": [{"name": "token_required"}]}], "next": None}
    script = serve(reply(200, first), reply(200, second))
    found = list(belvo_at(script.url).list_institutions())
    assert [institution.name for institution in found] == ["one", "two"]
    assert (found[0].country, found[1].features) == ("MX", ("token_required",))
    assert [sent.path for sent in script.received] == [
        "/api/institutions/?page=1&page_size=100",
        "/api/institutions/?page=2&page_size=100",
    ]
    assert elsewhere.received == []


def find_registered(url: str) -> list[str]:
    found = belvo_at(url).find_link(remote_id="", end_user_id="cust-0001", institution="erebor_mx_retail")
    return [link.remote_id for link in found]


def test_a_lost_registration_is_looked_for_by_customer_and_institution(serve: Serve) -> None:
    script = serve(reply(200, {"count": 1, "next": None, "results": [REGISTERED]}))
    assert find_registered(script.url) == [LINK_ID]
    assert script.received[0].path == "/api/links/?external_id=cust-0001&institution=erebor_mx_retail&page_size=100"


@pytest.mark.parametrize(
    "changes",
    [{"external_id": "cust-0002"}, {"external_id": None}, {"external_id": "CUST-0001"}, {"institution": "gringotts"}],
)
def test_a_link_of_another_customer_or_bank_is_not_found(serve: Serve, changes: dict[str, object]) -> None:
    script = serve(reply(200, {"results": [{**REGISTERED, "id": "another", **changes}, REGISTERED]}))
    assert find_registered(script.url) == [LINK_ID]


def test_an_odd_link_does_not_hide_the_others(serve: Serve) -> None:
    script = serve(reply(200, {"results": ["x", {**REGISTERED, "status": None}, REGISTERED]}))
    with capture_logs() as events:
        assert find_registered(script.url) == [LINK_ID]
    (skipped,) = [event for event in events if event["event"] == "provider.records_skipped"]
    assert skipped == {"event": "provider.records_skipped", "log_level": "warning", "skipped": 2, "read": 1}


@pytest.mark.parametrize("body", [{"results": None}, {"results": {}}, {}, []])
def test_a_list_that_cannot_be_read_is_no_empty_list(serve: Serve, body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        find_registered(serve(reply(200, body)).url)


def test_an_odd_institution_does_not_hide_the_others(serve: Serve) -> None:
    first = {"results": [5, {"id": 3, "name": "three"}], "next": "more"}
    last = {"results": [{"name": None}, {"id": 1, "name": "one"}, {"id": 2, "name": "a b"}], "next": None}
    found = list(belvo_at(serve(reply(200, first), reply(200, last)).url).list_institutions())
    assert [institution.name for institution in found] == ["three", "one"]


def test_a_registration_without_a_customer_id_cannot_be_looked_for(serve: Serve) -> None:
    with pytest.raises(Unsupported):
        belvo_at(serve(reply(200)).url).find_link(remote_id="", end_user_id="a b", institution="erebor_mx_retail")


def test_a_link_known_by_id_is_found_or_not(serve: Serve) -> None:
    gone = reply(404, [{"code": "not_found", "message": "Not found"}])
    belvo = belvo_at(serve(reply(200, GOOD_LINK), gone).url)
    assert len(belvo.find_link(remote_id=LINK_ID, end_user_id="", institution="")) == 1
    assert belvo.find_link(remote_id=LINK_ID, end_user_id="", institution="") == []


def test_a_change_without_an_id_is_not_sent(serve: Serve) -> None:
    script = serve(reply(200, GOOD_LINK))
    with pytest.raises(InvalidInput):
        belvo_at(script.url).update_credentials(LinkRef("", "cust-0001"), secrets(password="pw"))
    assert script.received == []


@pytest.mark.parametrize(
    ("link_id", "segment"),
    [
        ("../a?b#c d", "..%2Fa%3Fb%23c%20d"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("12 %", "12%20%25"),
        ("a%2Fb", "a%252Fb"),
        ("Ação", "A%C3%A7%C3%A3o"),
        ("a~b-c_d.e", "a~b-c_d.e"),
    ],
)
def test_an_id_stays_one_segment_of_the_path(serve: Serve, link_id: str, segment: str) -> None:
    script = serve(reply(404, [{"code": "not_found", "message": "Not found"}]))
    with pytest.raises(NotFound):
        belvo_at(script.url).read_link(LinkRef(link_id, "cust-0001"))
    assert script.received[0].path == f"/api/links/{segment}/"


def test_the_connection_test_asks_for_one_institution(serve: Serve) -> None:
    script = serve(reply(200, {"count": 1204, "next": None, "results": []}))
    assert belvo_at(script.url).test_connection().detail == "1204 institutions"
    assert script.received[0].path == "/api/institutions/?page_size=1"


def test_a_secret_that_happens_to_be_a_word_of_belvos_changes_no_meaning(serve: Serve) -> None:
    typed = secrets(password="valid", password2="erebor")
    link = belvo_at(serve(reply(200, GOOD_LINK)).url).update_credentials(LINK, typed)
    assert (link.observation.cause, link.observation.raw_status) == (Cause.WORKING, "valid")
    assert link.institution == ""
