"""Links of every kind: a bank, a tax authority, an employer, a consent, each with exactly its own fields."""

import pytest

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

pytestmark = pytest.mark.django_db(transaction=True)

RFC, CURP, CPF = "LOLJ970312AB1", "LOLJ970312MBSPPN08", "12345678901"
KINDS = [
    ("erebor_mx_retail", {"username": "maria", "password": "pass_valid"}, {}),
    ("moseisley_mx_fiscal", {"username": RFC, "password": "pass_valid"}, {}),  # RFC with CIEC
    (
        "anchorhead_mx_fiscal",  # e.firma
        {"username": RFC, "password": "pass_valid", "certificate": "Y2VydA==", "private_key": "a2V5"},
        {},
    ),
    ("kashyyyk_cl_fiscal", {"username": "12345678-K", "password": "pass_valid"}, {}),
    ("planet_mx_employment", {"username": CURP}, {"password": "fake-password"}),  # fixed by the form
    ("slurm_mx_employment", {"username": CURP}, {}),
    ("momcorp_br_employment", {"username": CPF, "password": "senha do gov"}, {}),
    ("ofmockbank_br_retail", {"username": CPF}, {}),
    ("araucaria_br_business", {"username": CPF, "username2": "12345678000195"}, {}),
]
# Institutions without a password, or with one fixed by the form.
WITHOUT_PASSWORD = [bank for bank, typed, _fixed in KINDS if "password" not in typed]
PORTAL = [
    ("10000000001", Cause.CONSENT_UNFINISHED),
    ("10000000002", Cause.CONSENT_UNFINISHED),
    ("10000000003", Cause.CONSENT_REJECTED),
    ("10000000004", Cause.PORTAL_CONSENT_EXPIRED),
    ("10000000005", Cause.RENEW_SOON),
    ("10000000006", Cause.WORKING),
]


@pytest.mark.parametrize(("bank", "typed", "fixed"), KINDS, ids=[bank for bank, _typed, _fixed in KINDS])
def test_new_link_sends_exactly_the_fields_of_its_kind(
    env: Environment, bank: str, typed: dict[str, str], fixed: dict[str, str]
) -> None:
    answer = env.send(env.new_link_url(bank), end_user_id="cus-5", end_user_name="Ivy Long", **typed)

    assert answer.status == 303, answer.words
    (call,) = env.calls("POST")
    asked = {"institution": bank, "access_mode": "recurrent", "external_id": "cus-5"}
    assert call.body == asked | typed | fixed
    assert Link.objects.get().institution == env.bank(bank)


@pytest.mark.parametrize("bank", WITHOUT_PASSWORD)
def test_no_password_field_where_there_is_none(env: Environment, bank: str) -> None:
    assert not {"password", "password2"} & env.open(env.new_link_url(bank)).inputs().keys()


@pytest.mark.parametrize(("cpf", "cause"), PORTAL)
def test_consent_decides_over_the_link_itself(env: Environment, cpf: str, cause: Cause) -> None:
    env.send(env.new_link_url("ofmockbank_br_retail"), end_user_id="cus-5", end_user_name="Ivy Long", username=cpf)
    link = Link.objects.get()

    env.prove(link)

    assert link.cause == cause.value
