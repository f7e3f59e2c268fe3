"""Code inputs: as the bank defines them, any length, and sent as people meant it."""

from typing import Any

import pytest

from linkadmin.links.models import Institution, Link
from tests.environment import Environment
from tests.markup import Page
from tests.providers.conftest import reply
from tests.scripted import answering, asks, takes

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

PREFIX = "https://www49.bb.com.br/sms/ato?c="
URL = PREFIX + "0A1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q7R8S9T"
URL_FIELD = {
    "name": "token",
    "type": "string",
    "label": "URL",
    "length": "40",
    "optional": True,
    "validation": r"^(https:\/\/www49\.bb\.com\.br\/sms\/ato\?c=)+([0-9A-Z]){40}$",
    "validation_message": "Cole o endereço inteiro",
}
PASSWORD = {"name": "password", "type": "password", "label": "Senha"}
SIX_DIGITS = {"name": "token", "type": "number", "label": "Chave", "length": "6", "validation": r"^\d{6}$"}

PASTED = (
    "\u202a482193\u202c",
    "482\u200b193",
    "482193\u200e",
    "482·193",
    "٤٨٢١٩٣",
    "۴۸۲-۱۹۳",
    "４８２１９３",
    "482 193",
    "482\u00a0193",
    "482–193",
    "\ufeff 482\u202f193 ",
    "482•193",
)


def give(
    env: Environment, token: str, *, field: dict[str, Any] | None = None, **shown: Any
) -> tuple[Page, Page, list[str]]:
    """Submit a value at the code step of a bank with this field. Returns the page, the response, and what was sent."""
    link = env.belvo_link()
    if field:
        Institution.objects.filter(pk=link.institution_id).update(form_fields=[PASSWORD, field])
    with answering(env.belvo, asks(link.remote_id, **shown), takes(link.remote_id)) as bank:
        sent = env.send(f"/links/{link.pk}/credentials/", password="pass")
        assert sent.location.endswith("/code/"), sent.words
        step = env.open(f"/links/{link.pk}/code/")
        answer = env.send(f"/links/{link.pk}/code/", code=token)
        env.settled()
    return step, answer, [each.body["token"] for each in bank.received if each.method == "PATCH"]


def test_code_that_is_a_long_url_reaches_the_bank_whole(env: Environment) -> None:
    step, _answer, sent = give(env, URL, field=URL_FIELD)

    assert sent == [URL]
    typed = step.inputs()["code"]
    assert "maxlength" not in typed
    assert "inputmode" not in typed
    assert "data-code" not in typed
    assert "URL" in step.words


def test_code_that_is_a_long_url_can_be_typed_for_a_new_link(env: Environment) -> None:
    bank = env.bank()
    Institution.objects.filter(pk=bank.pk).update(form_fields=[{"name": "username"}, PASSWORD, URL_FIELD])
    customer = {"end_user_id": "cus-1", "end_user_name": "Acme Corp", "username": "u", "password": "p"}
    with answering(env.belvo, takes(status=201)) as provider:
        env.send(env.new_link_url("heimdall_mx_retail"), **customer, token=f" {URL}\u200b ")

    assert provider.received[0].body["token"] == URL


@pytest.mark.parametrize("bank", ["erebor_mx_retail", "ironbank_br_retail", "anchorhead_mx_fiscal"])
def test_no_input_has_a_maxlength(env: Environment, bank: str) -> None:
    link = env.belvo_link(bank=bank)
    pages = [env.open(f"/links/{link.pk}/credentials/"), env.open(env.new_link_url(bank))]
    pages.append(env.open(f"/links/{env.heron_link().pk}/access-token/"))
    ours = {"end_user_id", "end_user_name"}

    cut = [name for page in pages for name, attrs in page.inputs().items() if "maxlength" in attrs]

    assert set(cut) <= ours


def test_too_long_value_is_an_error_at_its_field(env: Environment) -> None:
    _step, answer, sent = give(env, "x" * 8001)

    assert answer.status == 422
    assert "8000 characters" in answer.error_at("code")
    assert sent == []


def test_code_that_fails_the_banks_pattern_can_be_sent_anyway(env: Environment) -> None:
    link = env.belvo_link()
    Institution.objects.filter(pk=link.institution_id).update(form_fields=[PASSWORD, URL_FIELD])
    with answering(env.belvo, asks(link.remote_id), takes(link.remote_id)) as bank:
        env.send(f"/links/{link.pk}/credentials/", password="pass")
        stump = env.send(f"/links/{link.pk}/code/", code=PREFIX)
        assert stump.status == 422
        assert stump.error_at("code") == "Cole o endereço inteiro"
        assert stump.inputs()["as_typed"]["type"] == "checkbox"
        assert len(bank.received) == 1

        env.send(f"/links/{link.pk}/code/", code=PREFIX, as_typed="on")

    assert bank.received[1].body["token"] == PREFIX


def test_pattern_that_times_out_passes(env: Environment) -> None:
    _step, _answer, sent = give(env, "a" * 40 + "!", field={**URL_FIELD, "validation": "(?:a|aa|a?)+b?$"})

    assert sent == ["a" * 40 + "!"]


def test_numeric_code_is_sent_as_digits(env: Environment) -> None:
    for number, typed in enumerate(PASTED):
        step, _answer, sent = give(env, typed, field=SIX_DIGITS if number % 2 else None)

        assert (sent, typed) == (["482193"], typed)
        assert step.inputs()["code"]["inputmode"] == "numeric"


def test_non_numeric_code_keeps_its_punctuation(env: Environment) -> None:
    for typed in ("AB-12 cd", "12.34", "-", "48:21"):
        assert give(env, f" {typed} ")[2] == [typed]


@pytest.mark.parametrize(
    "shown",
    [
        {"type": "text", "value": "¿Cuándo naciste?"},
        pytest.param({"type": "question", "value": "", "instructions": "¿Cuándo naciste?"}, marks=pytest.mark.thorough),
        pytest.param({"type": None, "value": None, "instructions": "¿Cuándo naciste?"}, marks=pytest.mark.thorough),
    ],
)
def test_answer_to_a_question_is_sent_exactly_as_typed(env: Environment, shown: dict[str, Any]) -> None:
    for typed in ("12-03-1980", "0001 23456-7", "١٩٨٠", " São  Paulo ", "482 193"):
        step, _answer, sent = give(env, typed, field=SIX_DIGITS, **shown)

        assert sent == [typed]
    assert "Customer's answer" in step.words
    assert "Chave" not in step.words
    assert "inputmode" not in step.inputs()["code"]
    assert "¿Cuándo naciste?" in step.words


def test_empty_answer_is_not_sent(env: Environment) -> None:
    _step, answer, sent = give(env, "  ", type="text", value="¿Cuándo naciste?")

    assert answer.error_at("code") == "Enter the customer's answer."
    assert sent == []


def test_instructions_of_a_code_are_not_a_question(env: Environment) -> None:
    for word in ("sms", "otp_code", "numeric"):
        step, _answer, sent = give(env, "482 193", type=word, value="", instructions="Ingresa el código")

        assert sent == ["482193"]
        assert step.inputs()["code"]["inputmode"] == "numeric"


def fields_of(link: Link) -> str:
    return f"/links/{link.pk}/credentials/"


def test_usernames_are_trimmed_and_lose_invisible_marks(env: Environment) -> None:
    pasted = ("JPEREZ01 ", "JPEREZ01\t", "JPEREZ01\u200b", "\u202aJPEREZ01\u00a0\u202c")
    denied = reply(400, [{"code": "validation_error", "message": "Bad request"}])
    with answering(env.belvo, denied) as bank:
        for number, typed in enumerate(pasted):
            customer = {"end_user_id": f"cus-{number}", "end_user_name": "Acme Corp", "password": "pass"}
            env.send(env.new_link_url("erebor_mx_retail"), **customer, username=typed, username2=typed)

    sent = [(each.body["username"], each.body["username2"]) for each in bank.received]
    assert sent == [("JPEREZ01", "JPEREZ01")] * len(pasted)


def test_invisible_username_is_missing(env: Environment) -> None:
    customer = {"end_user_id": "cus-1", "end_user_name": "Acme Corp", "password": "pass"}

    page = env.send(env.new_link_url("erebor_mx_retail"), **customer, username="\u200b \u00a0")

    assert page.error_at("username") == "This field is required."
    assert env.calls("POST") == []


def test_passwords_are_sent_byte_for_byte(env: Environment) -> None:
    for typed in (" pass\u200b", "pa\u0301ss ", "\u00a0p4ss", "4806", "٤٨٠٦"):
        link = env.belvo_link()
        Institution.objects.filter(pk=link.institution_id).update(form_fields=[PASSWORD])
        with answering(env.belvo, takes(link.remote_id)) as bank:
            env.send(fields_of(link), password=typed, password2=typed, encryption_key=typed)

        assert bank.received[0].body == {"password": typed, "password2": typed, "encryption_key": typed}


@pytest.mark.parametrize("typed", [" access-sandbox-1 ", "access-sandbox-1\u200b\n"])
def test_access_token_is_trimmed_and_loses_invisible_marks(env: Environment, typed: str) -> None:
    customer = {"end_user_id": "cus-1", "end_user_name": "Acme Corp"}
    told = {"link": {"item_id": "item-1", "status": "active"}}
    with answering(env.heron, reply(201, told)) as heron:
        env.send(env.new_link_url(), **customer, item_id="item-1", access_token=typed, asset_report_token=typed)

    sent = heron.received[0].body
    assert (sent["access_token"], sent["asset_report_token"]) == ("access-sandbox-1", "access-sandbox-1")
