"""Which IDs and texts from a provider pass although they contain a secret, and which don't."""

from collections.abc import Callable
from typing import Any

import pytest

from linkadmin.providers.errors import OutcomeUnknown
from linkadmin.providers.types import LinkRef, NewLink, Secret
from tests.scripted import LINK_ID, takes

from .conftest import Script, belvo_at, heron_at, reply

Serve = Callable[..., Script]


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (LINK_ID, LINK_ID),
        (LINK_ID.replace("-", ""), LINK_ID),
        ("0123456789abcdef", "30313233-3435-3637-3839-616263646566"),  # its bytes in hex
    ],
)
def test_whole_secret_is_withheld_even_where_an_id_stands(serve: Serve, secret: str, said: str) -> None:
    bank = belvo_at(serve(takes(said, 201)).url)

    with pytest.raises(OutcomeUnknown):
        bank.create_link(NewLink("cus-1", "Acme", "erebor_mx_retail", {"password": Secret(secret)}))


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ({"external_id": "cus-recurrent"}, ("external_id", "cus-recurrent")),  # the one we sent
        ({"external_id": "cus-recurrent-2"}, ("external_id", "")),
        ({"institution": "recurrent_mx_retail"}, ("institution", "recurrent_mx_retail")),
        ({"institution": "my_recurrent_mx_retail"}, ("institution", "")),
        ({"access_mode": "recurrent"}, ("access_mode", "recurrent")),
        ({"access_mode": "recurrently"}, ("access_mode", "")),
        ({"fetch_resources": ["RECURRENT"]}, ("resources", ("withheld",))),
        ({"request_id": "recurrent-1"}, ("request_id", "")),
        ({"request_id": "726563757272656e7400000000000000"}, ("request_id", "")),  # in hex, padded
    ],
)
def test_only_what_stands_in_its_own_field_and_shape_is_no_echo(
    serve: Serve, facts: dict[str, Any], kept: tuple[str, Any]
) -> None:
    bank = belvo_at(serve(takes(status=201, **facts)).url)

    link = bank.create_link(NewLink("cus-recurrent", "Acme", "recurrent_mx_retail", {"username": Secret("recurrent")}))

    assert getattr(link, kept[0]) == kept[1]


def test_words_of_the_provider_are_taken_although_they_were_typed(serve: Serve) -> None:
    bank = belvo_at(serve(takes(status=201, fetch_resources=["OWNERS"], credentials_storage="store")).url)
    typed = {"username": Secret("OWNERS"), "password": Secret("store")}

    link = bank.create_link(NewLink("cus-1", "Acme", "erebor_mx_retail", typed))

    assert (link.resources, link.storage) == (("OWNERS",), "store")


@pytest.mark.parametrize(
    ("secret", "request_id", "kept"),
    [
        ("hunter2hunter", "68756e74-6572-3268-756e-746572000000", False),
        ("hunter2hunter", "68756E746572326875 6E746572000000".replace(" ", ""), False),
        ("deadbeefcafe", "00dead-beefcafe0000".replace("-", "") + "0" * 15, False),
        ("12345678", "a1234567-8000-4000-8000-000000000000", False),
        ("4806", "a4806567-8000-4000-8000-000000000000", True),  # like any PIN, by chance
    ],
)
def test_id_holds_no_more_of_a_secret_than_chance_puts_there(
    serve: Serve, secret: str, request_id: str, kept: bool
) -> None:
    bank = belvo_at(serve(takes(status=201, request_id=request_id)).url)

    link = bank.create_link(NewLink("cus-1", "Acme", "erebor_mx_retail", {"password": Secret(secret)}))

    assert link.request_id == (request_id if kept else "")


@pytest.mark.parametrize("setting", ["refresh_rate", "stale_in", "credentials_storage"])
def test_no_setting_tells_a_pin(serve: Serve, setting: str) -> None:
    bank = belvo_at(serve(takes(status=201, **{setting: "4806d"})).url)

    link = bank.create_link(NewLink("cus-1", "Acme", "erebor_mx_retail", {"password": Secret("4806")}))

    assert {link.refresh_rate, link.stale_in, link.storage} & {"4806d"} == set()


def test_item_id_that_contains_the_access_token_is_taken_if_it_is_the_one_sent(serve: Serve) -> None:
    told = {"link": {"item_id": "item-4806", "status": "active", "type": "plaid_integration"}}
    values = {"item_id": "item-4806", "access_token": Secret("item")}

    link = heron_at(serve(reply(201, told)).url).create_link(NewLink("cus-1", "Acme", "", values))

    assert (link.remote_id, link.kind) == ("item-4806", "plaid_integration")
    with pytest.raises(OutcomeUnknown):
        heron_at(serve(reply(201, told)).url).create_link(
            NewLink("cus-1", "Acme", "", {**values, "item_id": "another"})
        )


def test_item_id_survives_a_new_access_token(serve: Serve) -> None:
    told = {"integration_link": {"item_id": "item-4806", "status": "active"}}
    heron = heron_at(serve(reply(200, told)).url)

    assert heron.replace_token(LinkRef("item-4806", "cus-1"), {"access_token": Secret("4806")}).remote_id == "item-4806"
