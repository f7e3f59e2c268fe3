"""What is refused because a provider or a link is busy: a small answer, with what was typed and without secrets."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as ours
from django.utils import timezone

from linkadmin.links.models import CallPlace, Link
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause
from tests.house import HTMX, House
from tests.markup import Form, Page, read
from tests.operations.desk import delete, url_of

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "hunter2_bank"
LIGHT = {False: "operations/not_sent.html", True: "operations/_not_sent.html"}


def take_all(house: House) -> None:
    until = timezone.now() + timedelta(minutes=5)
    for integration in (house.belvo, house.heron):
        for _each in range(ours.CALLS_AT_ONCE_PER_INTEGRATION):
            CallPlace.objects.create(integration=integration, call="read_link", lease_until=until)


def busy(link: Link, house: House) -> None:
    Operation.objects.create(
        kind="fetch_data",
        integration=link.integration,
        link=link,
        end_user=link.end_user,
        actor=house.people["ben"],
        operation_key=uuid4(),
        state=State.SENDING,
    )


def form_of(house: House, which: str) -> tuple[str, Form, dict[str, str]]:
    """Return a form's URL, the form, and what somebody types into it."""
    if which == "create":
        url = house.new_link_url()
        typed = {"end_user_id": "cus-1", "end_user_name": "Ivy <3", "item_id": "item-1", "access_token": SECRET}
    elif which == "token":
        link = house.belvo_link()
        house.send(url_of(link, "credentials"), password="pass_mfa")
        url, typed = url_of(link, "token"), {"token": SECRET}
    elif which == "settings":
        url, typed = url_of(house.belvo_link(cause=Cause.WORKING), which), {"stale_in": "90d"}
    else:
        url, typed = url_of(house.belvo_link(), which), {"password": SECRET}
    return url, house.open(url).form_with(*typed), typed


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("which", ["credentials", "token", "create", "settings"])
def test_form_is_not_drawn_again_where_no_slot_is_free(house: House, which: str, htmx: bool) -> None:
    url, form, typed = form_of(house, which)
    before = len(house.calls("POST") + house.calls("PUT") + house.calls("PATCH"))
    take_all(house)

    answer = house.client().post(url, form.values | typed, headers=HTMX if htmx else {})

    page = read(answer)
    assert (page.status, page.is_whole, page.headers["retry-after"]) == (503, not htmx, "5")
    assert {LIGHT[htmx], "operations/_not_sent_words.html"} <= {each.name for each in answer.templates}
    assert "Nothing was sent" in page.words
    assert SECRET not in page.source
    assert "no-store" in page.headers["cache-control"]
    assert len(house.calls("POST") + house.calls("PUT") + house.calls("PATCH")) == before
    if htmx:
        assert page.headers["hx-reswap"].startswith("afterbegin")
        assert page.inputs() == {}


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("which", ["credentials", "settings"])
def test_form_is_not_drawn_again_where_the_link_is_busy(house: House, which: str, htmx: bool) -> None:
    url, form, typed = form_of(house, which)
    busy(Link.objects.get(), house)

    answer = house.client().post(url, form.values | typed, headers=HTMX if htmx else {})

    page = read(answer)
    assert (page.status, page.is_whole) == (409, not htmx)
    assert LIGHT[htmx] in {each.name for each in answer.templates}
    assert "ben is already at work here: “Fetch new data” is not over. Nothing was sent." in page.words
    assert Link.objects.get().get_absolute_url() in page.links()


def reopened(house: House, url: str, answer: Page) -> Form:
    """Press the button of the small page."""
    form = answer.form_with("reopen")
    assert form.action == url
    assert "operation_key" not in form.names
    again = read(house.client().post(url, form.values))
    assert again.status == 200
    return again.form_with("operation_key")


@pytest.mark.parametrize(
    ("which", "comes_back"),
    [
        ("create", {"end_user_id": "cus-1", "end_user_name": "Ivy <3", "item_id": "item-1"}),
        ("settings", {"stale_in": "90d"}),
        ("credentials", {}),
    ],
)
def test_reopened_form_has_all_but_secrets_and_is_sent_once(
    house: House, which: str, comes_back: dict[str, str]
) -> None:
    url, form, typed = form_of(house, which)
    take_all(house)
    again = reopened(house, url, house.post(url, form.values | typed))

    assert {name: again.values[name] for name in comes_back} == comes_back
    assert again.values["operation_key"] != form.values["operation_key"]
    assert SECRET not in again.values.values()
    assert not Operation.objects.exists()
    CallPlace.objects.all().delete()
    for _click in range(2):
        house.post(url, again.values | typed)
        house.settled()
    assert Operation.objects.count() == 1


def test_form_that_stayed_in_the_browser_is_sent_once(house: House) -> None:
    url, form, typed = form_of(house, "credentials")
    take_all(house)
    for _click in range(2):
        assert house.post(url, form.values | typed, htmx=True).status == 503
    CallPlace.objects.all().delete()

    for _click in range(2):
        house.post(url, form.values | typed, htmx=True)
        house.settled()

    assert len(house.calls("PUT")) == 1


def test_reopened_code_step_keeps_its_one_key(house: House) -> None:
    url, form, typed = form_of(house, "token")
    take_all(house)

    again = reopened(house, url, house.post(url, form.values | typed))

    assert again.values["operation_key"] == form.values["operation_key"]
    assert "token" in again.names


def test_removal_is_confirmed_again(house: House) -> None:
    link = house.belvo_link()
    take_all(house)

    again = reopened(house, url_of(link, "delete"), delete(house, link))

    assert (again.values["reason"], again.values["confirmation"]) == ("The customer closed the account.", "")


def test_reopening_takes_neither_key_nor_secret(house: House) -> None:
    url, form, typed = form_of(house, "credentials")

    again = read(house.client().post(url, form.values | typed | {"reopen": "1"}))

    assert SECRET not in again.source
    assert again.form_with("operation_key").values["operation_key"] != form.values["operation_key"]
    assert house.calls("PUT") == []
