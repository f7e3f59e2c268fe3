"""Fields that a bank doesn't list but the provider accepts are under "More options"."""

import base64

import pytest

from linkadmin.links.models import Institution, Link
from tests.environment import Environment
from tests.markup import Page
from tests.providers.conftest import reply
from tests.scripted import answering, takes

pytestmark = pytest.mark.django_db(transaction=True)

UPDATE = ("password", "password2", "token", "encryption_key", "username_type", "certificate", "private_key")
REGISTER = ("username", "username2", "username3", *UPDATE[:3], *UPDATE[4:])
DER = bytes(range(250))
BASE64 = base64.b64encode(DER).decode()


def url_of(link: Link) -> str:
    return f"/links/{link.pk}/credentials/"


def more(page: Page) -> str:
    return page.source.partition('<details class="advanced"')[2].partition("</details>")[0]


@pytest.mark.parametrize("bank", ["erebor_mx_retail", "ironbank_br_retail", "anchorhead_mx_fiscal", "", "unlisted"])
def test_all_seven_fields_are_there_for_any_bank(env: Environment, bank: str) -> None:
    link = env.belvo_link(bank=bank if "_" in bank else "erebor_mx_retail")
    if bank == "":
        Link.objects.filter(pk=link.pk).update(institution=None)
    if bank == "unlisted":
        Institution.objects.filter(pk=link.institution_id).update(form_fields=[])

    page = env.open(url_of(link))

    assert set(UPDATE) <= set(page.inputs())
    assert "More options" in page.words
    listed = {"password"} if "fiscal" not in bank else {"password", "certificate", "private_key"}
    assert [name for name in listed if f'name="{name}"' in more(page)] == []
    assert 'name="encryption_key"' in more(page)


def test_all_seven_fields_reach_the_provider(env: Environment) -> None:
    link = env.belvo_link()
    typed = {name: f"{name}1" for name in UPDATE} | {"username_type": "003", "password": "pass"}
    typed |= {"certificate": BASE64, "private_key": BASE64}
    with answering(env.belvo, takes(link.remote_id)) as bank:
        env.send(url_of(link), **typed)

    assert bank.received[0].body == typed


def test_all_fields_of_a_new_link_reach_the_provider(env: Environment) -> None:
    typed = {name: f"{name}_1" for name in REGISTER} | {"username_type": "003"}
    typed |= {"certificate": BASE64, "private_key": BASE64}
    customer = {"end_user_id": "cus-1", "end_user_name": "Acme Corp"}
    with answering(env.belvo, takes(status=201)) as bank:
        env.send(env.new_link_url("erebor_mx_retail"), **customer, **typed)

    assert {name: bank.received[0].body[name] for name in typed} == typed


def test_bank_without_a_password_has_no_password_field(env: Environment) -> None:
    page = env.open(env.new_link_url("ofmockbank_br_retail"))

    assert not {"password", "password2", "token", "certificate"} & set(page.inputs())


def armored(text: str, label: str = "CERTIFICATE", end: str = "\n") -> str:
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return end.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


@pytest.mark.parametrize(
    ("certificate", "private_key"),
    [
        (armored(BASE64), armored(BASE64, "PRIVATE KEY")),
        (armored(BASE64, end="\r\n"), armored(BASE64, "ENCRYPTED PRIVATE KEY", end="\r\n")),
        (f"Bag Attributes\n  friendlyName: Acme\n{armored(BASE64)}", armored(BASE64, "RSA PRIVATE KEY")),
        (f"\ufeff {armored(BASE64).replace(chr(10), ' ')}", BASE64),
        ("\r\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)), BASE64 + "\n"),
        (BASE64.rstrip("="), BASE64.replace("+", "-").replace("/", "_")),
        (f"data:application/x-x509-ca-cert;base64,{BASE64}", f"\t{BASE64}\u200b"),
    ],
)
def test_certificates_and_keys_reach_the_provider_as_base64(
    env: Environment, certificate: str, private_key: str
) -> None:
    link = env.belvo_link(bank="tatooine_mx_fiscal")
    with answering(env.belvo, takes(link.remote_id)) as bank:
        env.send(url_of(link), certificate=certificate, private_key=private_key)

    assert bank.received[0].body == {"certificate": BASE64, "private_key": BASE64}


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        ("my certificate", "This isn't base64."),
        (BASE64[:-3], "This isn't base64."),
        (armored("not base64!"), "This isn't base64."),
        (armored(BASE64) + armored(BASE64), "This is more than one block."),
        (armored(BASE64).rpartition("-----END")[0], "Part of it is missing."),
        (armored(BASE64, "PRIVATE KEY"), "This looks like a value for another field (PRIVATE KEY). Enter it there."),
        (armored(BASE64).replace("\n", "\nProc-Type: 4,ENCRYPTED\n\n", 1), "We can't send this type of encrypted key."),
    ],
)
def test_invalid_certificate_is_an_error_at_its_field(env: Environment, certificate: str, says: str) -> None:
    link = env.belvo_link(bank="tatooine_mx_fiscal")

    page = env.send(url_of(link), certificate=certificate, private_key=BASE64)

    assert page.status == 422
    assert page.error_at("certificate").startswith(says)
    assert certificate[:20] not in page.source
    assert env.calls("PUT") == []


def test_heron_takes_an_asset_report_token_only_where_it_is_given(env: Environment) -> None:
    customer = {"end_user_id": "cus-1", "end_user_name": "Acme Corp"}
    with answering(env.heron, reply(422, {"code": 422, "name": "x", "description": "no"})) as heron:
        page = env.send(env.new_link_url(), **customer, item_id="i-1", access_token="a-1")
        env.send(env.new_link_url(), **customer, item_id="i-1", access_token="a-1", asset_report_token="r-1")

    assert 'name="asset_report_token"' in more(page)
    first, second = [each.body for each in heron.received if each.method == "POST"]
    assert "asset_report_token" not in first
    assert second["asset_report_token"] == "r-1"
