"""Customers' e-mail, phone and language: typed, found, hidden from who may not see names, and erased."""

import json
import re

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import CustomerContact, EndUser
from tests.environment import Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

EMAIL, PHONE = "ana.perez@acme.example", "+52 55 1234-5678"


@pytest.fixture
def customer(env: Environment) -> EndUser:
    env.customer("Blue Fern Bakery")
    return env.belvo_link("Acme Corp").end_user


def url(customer: EndUser) -> str:
    return f"{customer.get_absolute_url()}contact/"


def enter(env: Environment, customer: EndUser, **values: str) -> Page:
    return env.send(url(customer), **{"email": EMAIL, "phone": PHONE, "language": "es"} | values)


def test_details_are_saved_and_shown(env: Environment, customer: EndUser) -> None:
    assert enter(env, customer).status == 303

    page = env.open(customer.get_absolute_url())
    assert f"E-mail {EMAIL} Phone +525512345678 Language Spanish" in page.words
    assert {f"mailto:{EMAIL}", "tel:+525512345678"} <= set(page.links())


def test_details_are_hidden_from_who_may_not_see_names(env: Environment, customer: EndUser) -> None:
    enter(env, customer)

    page = env.open(customer.get_absolute_url(), "aud")

    assert "E-mail On file Phone On file Language Spanish" in page.words
    assert not re.search("acme.example|12345678", page.source)
    assert env.client("aud").get(url(customer)).status_code == 403


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"email": "ana@"}, "Enter a whole e-mail address, like name@example.com."),
        ({"phone": "55 1234 5678"}, "Enter the number with + and its country code"),
        ({"phone": "+52"}, "Enter the number with + and its country code"),
        ({"language": "tlh"}, "Select a valid choice."),
    ],
)
def test_wrong_value_is_explained_and_nothing_is_lost(
    env: Environment, customer: EndUser, values: dict[str, str], error: str
) -> None:
    page = read(env.client().post(url(customer), {"email": EMAIL, "phone": PHONE, "language": "es"} | values))

    assert (page.status, error in page.words) == (422, True)
    for kept in ({"email": EMAIL, "phone": PHONE} | values).values():
        assert kept in page.source or kept == "tlh"
    assert not CustomerContact.objects.exists()


@pytest.mark.parametrize(
    "words", [EMAIL, "ANA.PEREZ", "acme.example", "+52 55 1234 5678", "5512345678", "(55) 1234-5678"]
)
def test_customer_is_found_by_contact_details(env: Environment, customer: EndUser, words: str) -> None:
    enter(env, customer)

    found = read(env.client().post("/customers/", {"q": words}))
    hidden = read(env.client("aud").post("/customers/", {"q": words}))

    assert customer.get_absolute_url() in found.links()
    assert "Blue Fern" not in found.words
    assert customer.get_absolute_url() not in hidden.links()


@pytest.mark.parametrize("words", ["555-1234", "44-555", "44-555-1234 x"])
def test_number_in_an_id_is_still_found(env: Environment, words: str) -> None:
    customer = EndUser.objects.create(external_id="cus 44-555-1234 x", name="Acme Corp")

    assert customer.get_absolute_url() in read(env.client().post("/customers/", {"q": words})).links()


def test_erased_details_are_gone_and_no_longer_found(env: Environment, customer: EndUser) -> None:
    enter(env, customer)

    assert "Erase contact details" in env.open(url(customer)).words
    assert env.client().post(url(customer)).status_code == 303

    assert not CustomerContact.objects.exists()
    assert customer.get_absolute_url() not in read(env.client().post("/customers/", {"q": EMAIL})).links()
    assert "Erase contact details" not in env.open(url(customer)).words


def test_audit_log_says_which_details_but_not_what(env: Environment, customer: EndUser) -> None:
    enter(env, customer)
    enter(env, customer)  # changes nothing
    enter(env, customer, phone="", language="")

    events = list(AuditEvent.objects.filter(action="end_user.contact_set").order_by("seq"))
    assert [event.details for event in events] == [{"has": "email, phone, language"}, {"has": "email"}]
    assert not any("acme.example" in json.dumps(event.details) for event in AuditEvent.objects.all())
