"""Webhooks: which are genuine, and what they say."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkadmin.providers import provider_class
from linkadmin.providers.belvo.webhooks import EVENTS
from linkadmin.providers.heron.webhooks import TOPICS
from linkadmin.providers.records import WebhookHint, WebhookKind
from linkadmin.providers.types import Secret

BELVO, HERON = provider_class("belvo"), provider_class("heron")
HEADER = "Bearer 2bB9x7-example-of-43-characters-_0123456789"
SECRET = "sec_0123456789abcdef"
LINK_ID = "30cb4806-6e00-48a4-91c9-ca55968576c8"
TROUBLE = {
    "webhook_id": "2ef1c2a6cd3b4f8d9d0a",
    "webhook_type": "LINK",
    "webhook_code": "invalid_credentials",
    "link_id": LINK_ID,
    "request_id": "9e7b283c-6efa-449c-8028-a16b5c249fb0",
    "external_id": "cust-0001",
    "data": {"error_code": "login_error", "error_message": "Invalid credentials", "status": 400},
}
ERRORING = {
    "topic": "integration_link.erroring",
    "created": "2026-05-01T10:00:00",
    "data": {"item_id": "item-1", "end_user_id": "Cust 0001 / Nürnberg", "end_user_heron_id": "eus_1"},
    "meta": None,
}


def compact(message: object, *, escaped: bool = True) -> bytes:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=escaped).encode()


def spaced(message: object) -> bytes:
    return json.dumps(message, indent=1).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Return Heron's signature headers for a body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"heron-signature": b64encode(digest).decode(), "content-type": "application/json"}


def from_belvo(headers: Mapping[str, str], *secrets: str) -> bool:
    return BELVO.webhook_is_genuine(headers, compact(TROUBLE), [Secret(each) for each in secrets])


def from_heron(headers: Mapping[str, str], body: bytes, *secrets: str) -> bool:
    return HERON.webhook_is_genuine(headers, body, [Secret(each) for each in secrets])


class TestHeaderOfOurChoosing:
    def test_proves_a_delivery(self) -> None:
        assert from_belvo({"authorization": HEADER}, HEADER)

    @pytest.mark.parametrize(
        "secrets", [("Basic b2xkOm9sZG9sZG9sZA==", HEADER), (HEADER, "Bearer new-new-new-new-new")]
    )
    def test_may_be_either_of_two_that_are_live(self, secrets: tuple[str, str]) -> None:
        assert from_belvo({"authorization": HEADER}, *secrets)

    @pytest.mark.parametrize(
        "header",
        [HEADER[:-1], HEADER + "x", HEADER.lower(), HEADER.removeprefix("Bearer "), "", "Bearer ", "\ud800 é ¯"],
    )
    def test_proves_nothing_unless_it_is_the_same(self, header: str) -> None:
        assert not from_belvo({"authorization": header}, HEADER)

    def test_that_is_missing_proves_nothing_even_beside_an_empty_secret(self) -> None:
        assert not from_belvo({}, HEADER, "")
        assert not from_belvo({"authorization": ""}, "")
        assert not from_belvo({"authorization": HEADER})

    def test_that_we_make_up_is_long_and_another_each_time(self) -> None:
        made = {BELVO.new_webhook_secret().reveal() for _each in range(50)}

        assert len(made) == 50
        assert {len(header) for header in made} == {len("Bearer ") + 43}


class TestSignature:
    def test_proves_the_body_as_it_came(self) -> None:
        assert from_heron(signed(spaced(ERRORING)), spaced(ERRORING), SECRET)

    @pytest.mark.parametrize("escaped", [True, False])
    def test_proves_the_message_as_the_provider_writes_it_compactly(self, escaped: bool) -> None:
        assert from_heron(signed(compact(ERRORING, escaped=escaped)), spaced(ERRORING), SECRET)

    def test_may_be_made_with_either_of_two_secrets_that_are_live(self) -> None:
        body = compact(ERRORING)

        assert from_heron(signed(body), body, "sec_another_one_1", SECRET)
        assert from_heron(signed(body), body, SECRET, "sec_another_one_1")

    @pytest.mark.parametrize(
        "body",
        [
            compact(ERRORING | {"topic": "end_user.created"}),
            compact(ERRORING)[:-1],
            compact(ERRORING) + b"x",
            compact(ERRORING).replace(b"item-1", b"item-2"),
            b"",
        ],
    )
    def test_proves_no_other_body(self, body: bytes) -> None:
        assert not from_heron(signed(compact(ERRORING)), body, SECRET)

    @pytest.mark.parametrize(
        "change",
        [
            lambda signature: signature[:-2] + "=",
            lambda signature: signature.swapcase(),
            lambda signature: signature + signature,
            lambda signature: "sha256=" + signature,
            lambda _signature: "",
            lambda _signature: "\ud800 é ¯ €",
        ],
    )
    def test_that_was_changed_proves_nothing(self, change: Callable[[str], str]) -> None:
        body = compact(ERRORING)

        assert not from_heron({"heron-signature": change(signed(body)["heron-signature"])}, body, SECRET)

    def test_of_another_secret_or_of_none_proves_nothing(self) -> None:
        body = compact(ERRORING)

        assert not from_heron(signed(body, "sec_another_one_1"), body, SECRET)
        assert not from_heron(signed(body, ""), body, "")
        assert not from_heron(signed(body), body)
        assert not from_heron({}, body, SECRET)


class TestMessage:
    def test_of_belvo_names_link_customer_and_request(self) -> None:
        assert BELVO.read_webhook(compact(TROUBLE)) == WebhookHint(
            kind=WebhookKind.LINK_TROUBLE,
            topic="LINK invalid_credentials",
            known=True,
            remote_link_id=LINK_ID,
            end_user_id="cust-0001",
            request_id="9e7b283c-6efa-449c-8028-a16b5c249fb0",
        )

    def test_of_heron_names_item_customer_and_moment(self) -> None:
        assert HERON.read_webhook(compact(ERRORING)) == WebhookHint(
            kind=WebhookKind.LINK_TROUBLE,
            topic="integration_link.erroring",
            known=True,
            remote_link_id="item-1",
            end_user_id="Cust 0001 / Nürnberg",
            created_at=datetime(2026, 5, 1, 10, tzinfo=UTC),
        )

    @pytest.mark.parametrize(
        ("event", "kind"),
        [
            ("LINK token_required", WebhookKind.CODE_NEEDED),
            ("LINK link_deleted", WebhookKind.LINK_REMOVED),
            ("ACCOUNTS historical_update", WebhookKind.DATA_ARRIVED),
            ("RECURRING_EXPENSES new_recurring_expenses_available", WebhookKind.DATA_ARRIVED),
            ("TRANSACTIONS transactions_deleted", WebhookKind.DATA_CHANGED),
            ("CONSENT openfinance_consent_about_to_expire", WebhookKind.CONSENT_ENDING),
            ("CONSENT openfinance_consent_expired", WebhookKind.CONSENT_ENDED),
        ],
    )
    def test_of_belvo_is_known_by_type_and_code(self, event: str, kind: WebhookKind) -> None:
        named, code = event.split()
        hint = BELVO.read_webhook(compact(TROUBLE | {"webhook_type": named, "webhook_code": code}))

        assert (hint.kind, hint.known, hint.topic) == (kind, True, event)

    def test_about_a_consent_names_it(self) -> None:
        consent = {"webhook_type": "CONSENT", "webhook_code": "openfinance_consent_expired", "link_id": LINK_ID}

        hint = BELVO.read_webhook(compact(consent | {"external_id": None, "data": {"consent_id": "c-1"}}))

        assert (hint.consent_id, hint.remote_link_id, hint.end_user_id, hint.request_id) == ("c-1", LINK_ID, "", "")

    @pytest.mark.parametrize(
        ("data", "customer", "item"),
        [
            ({"heron_id": "eus_1", "end_user_id": "cust-1", "status": "processed"}, "cust-1", ""),
            ({"heron_id": "eus_1"}, "eus_1", ""),
            ({"heron_id": "eus_1", "end_user_id": "x" * 141}, "eus_1", ""),
            ({"integration_item_id": "item-2"}, "", "item-2"),
            ({"metadata": {"integration_item_id": "item-3"}}, "", "item-3"),
            (None, "", ""),
        ],
    )
    def test_about_a_customer_names_them_by_our_id_or_the_providers(
        self, data: object, customer: str, item: str
    ) -> None:
        hint = HERON.read_webhook(compact({"topic": "end_user.processed", "data": data}))

        assert (hint.kind, hint.end_user_id, hint.remote_link_id) == (WebhookKind.CUSTOMER_CHANGED, customer, item)

    def test_about_a_source_takes_its_id_for_no_customers(self) -> None:
        hint = HERON.read_webhook(compact({"topic": "data_source.disabled", "data": {"heron_id": "dso_1"}}))

        assert (hint.kind, hint.end_user_id) == (WebhookKind.SOURCE_SWITCHED, "")

    def test_that_is_new_to_us_is_stored_with_its_word_cleaned_and_its_link(self) -> None:
        new = TROUBLE | {"webhook_type": "LINK\u202e", "webhook_code": " melted\x00 " + "x" * 500}
        hint = BELVO.read_webhook(compact(new))
        assert (hint.kind, hint.known, hint.remote_link_id) == (WebhookKind.UNKNOWN, False, LINK_ID)
        assert hint.topic == "LINK melted " + "x" * 113

        hint = HERON.read_webhook(compact(ERRORING | {"topic": "integration_link.mended\n"}))
        assert (hint.kind, hint.known, hint.topic) == (WebhookKind.UNKNOWN, False, "integration_link.mended")

    def test_with_ids_that_can_be_none_names_nothing(self) -> None:
        odd = {"link_id": "../../x", "external_id": 5, "request_id": ["r"], "data": [{"consent_id": "c"}]}
        hint = BELVO.read_webhook(compact(TROUBLE | odd))

        assert (hint.remote_link_id, hint.end_user_id, hint.request_id, hint.consent_id) == ("", "", "", "")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"5",
            b"{}",
            b"\xff\xfe{}",
            b'{"topic": "", "webhook_type": "", "webhook_code": ""}',
            b'{"topic": 5, "webhook_type": 5, "webhook_code": "a"}',
            b'{"topic": "a", "topic": "b", "webhook_type": "a", "webhook_type": "b", "webhook_code": "c"}',
            b'{"topic": "a", "webhook_type": "a", "webhook_code": "b", "n": ' + b"9" * 400 + b"}",
            b'{"topic": "a", "webhook_type": "a", "webhook_code": "b", "n": 1e999}',
            b'{"topic": "a", "webhook_type": "a", "webhook_code": "b", "n": NaN}',
            b'{"topic": "a", "webhook_type": "a", "webhook_code": "b", "n": ' + b"[" * 60_000,
            compact(TROUBLE | ERRORING)[:-1],
        ],
    )
    def test_that_is_none_is_a_value_error(self, body: bytes) -> None:
        for provider in (BELVO, HERON):
            with pytest.raises(ValueError, match=r"JSON|object|message"):
                provider.read_webhook(body)


class TestKey:
    def test_of_belvo_is_that_of_the_bytes(self) -> None:
        assert BELVO.webhook_key(compact(TROUBLE)) == hashlib.sha256(compact(TROUBLE)).hexdigest()
        assert BELVO.webhook_key(spaced(TROUBLE)) != BELVO.webhook_key(compact(TROUBLE))

    def test_of_heron_is_the_same_for_whatever_one_signature_proves(self) -> None:
        forms = (compact(ERRORING), compact(ERRORING, escaped=False), spaced(ERRORING))

        assert len({HERON.webhook_key(body) for body in forms}) == 1

    def test_of_heron_tells_messages_apart_and_takes_what_is_none(self) -> None:
        later = ERRORING | {"created": "2026-05-02T10:00:00"}
        bodies = (compact(ERRORING), compact(later), b"", b"{", b"\xff")

        assert len({HERON.webhook_key(body) for body in bodies}) == 5


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
known_keys = st.sampled_from([*TROUBLE, *ERRORING, "item_id", "heron_id", "metadata", "consent_id"])
words = st.sampled_from([*TOPICS, *{word for event in EVENTS for word in event}]) | anything
messages = st.dictionaries(known_keys, words | st.dictionaries(known_keys, words, max_size=3), max_size=9)
bodies = st.binary(max_size=200) | messages.map(lambda message: json.dumps(message).encode())
proofs = st.dictionaries(
    st.sampled_from(["authorization", "heron-signature"]), st.text(st.characters(codec=None)) | st.just("A" * 43 + "=")
)


@settings(max_examples=150, deadline=None)
@given(headers=proofs, body=bodies, secrets=st.lists(st.text(st.characters(codec=None)).map(Secret), max_size=3))
def test_no_untrusted_webhook_makes_a_provider_raise(
    headers: dict[str, str], body: bytes, secrets: list[Secret]
) -> None:
    known = {secret.reveal() for secret in secrets}
    for provider in (BELVO, HERON):
        assert provider.webhook_is_genuine(headers, body, secrets) in {False, headers.get("authorization") in known}
        assert len(provider.webhook_key(body)) == 64
        try:
            hint = provider.read_webhook(body)
        except ValueError:
            continue
        assert hint.topic
        assert hint.known is (hint.kind is not WebhookKind.UNKNOWN)
