"""Refusals because a provider or a link is busy: a small page that keeps typed values, except secrets."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as ours
from django.utils import timezone

from linkadmin.integrations.models import CallSlot
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause
from tests.environment import HTMX, Environment
from tests.markup import Form, Page, read
from tests.operations.helpers import delete, url_of

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "hunter2_bank"
LIGHT = {False: "operations/not_sent.html", True: "operations/_not_sent.html"}


def take_all(env: Environment) -> None:
    until = timezone.now() + timedelta(minutes=5)
    for integration in (env.belvo, env.heron):
        for _each in range(ours.CALLS_AT_ONCE_PER_INTEGRATION):
            CallSlot.objects.create(integration=integration, call="read_link", lease_until=until)


def busy(link: Link, env: Environment) -> None:
    Operation.objects.create(
        kind="refresh_data",
        integration=link.integration,
        link=link,
        end_user=link.end_user,
        actor=env.people["ben"],
        operation_key=uuid4(),
        state=State.SENDING,
    )


def form_of(env: Environment, which: str) -> tuple[str, Form, dict[str, str]]:
    """URL, form and values of each kind of form."""
    if which == "create":
        url = env.new_link_url()
        typed = {"end_user_id": "cus-1", "end_user_name": "Ivy <3", "item_id": "item-1", "access_token": SECRET}
    elif which == "code":
        link = env.belvo_link()
        env.send(url_of(link, "credentials"), password="pass_mfa")
        url, typed = url_of(link, "code"), {"code": SECRET}
    elif which == "settings":
        url, typed = url_of(env.belvo_link(cause=Cause.WORKING), which), {"stale_in": "90d"}
    else:
        url, typed = url_of(env.belvo_link(), which), {"password": SECRET}
    return url, env.open(url).form_with(*typed), typed


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("which", ["credentials", "code", "create", "settings"])
def test_form_is_not_rendered_without_a_free_slot(env: Environment, which: str, htmx: bool) -> None:
    url, form, typed = form_of(env, which)
    before = len(env.calls("POST") + env.calls("PUT") + env.calls("PATCH"))
    take_all(env)

    answer = env.client().post(url, form.values | typed, headers=HTMX if htmx else {})

    page = read(answer)
    assert (page.status, page.is_whole, page.headers["retry-after"]) == (503, not htmx, "5")
    assert {LIGHT[htmx], "operations/_not_sent_words.html"} <= {each.name for each in answer.templates}
    assert "Nothing was sent" in page.words
    assert SECRET not in page.source
    assert "no-store" in page.headers["cache-control"]
    assert len(env.calls("POST") + env.calls("PUT") + env.calls("PATCH")) == before
    if htmx:
        assert page.headers["hx-reswap"].startswith("afterbegin")
        assert page.inputs() == {}


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("which", ["credentials", "settings"])
def test_form_is_not_rendered_for_a_busy_link(env: Environment, which: str, htmx: bool) -> None:
    url, form, typed = form_of(env, which)
    busy(Link.objects.get(), env)

    answer = env.client().post(url, form.values | typed, headers=HTMX if htmx else {})

    page = read(answer)
    assert (page.status, page.is_whole) == (409, not htmx)
    assert LIGHT[htmx] in {each.name for each in answer.templates}
    assert "ben is already working on this: “Refresh data” is still in progress. Nothing was sent." in page.words
    assert Link.objects.get().get_absolute_url() in page.links()


def reopened(env: Environment, url: str, answer: Page) -> Form:
    """Press the button of the small page."""
    form = answer.form_with("reopen")
    assert form.action == url
    assert "operation_key" not in form.names
    again = read(env.client().post(url, form.values))
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
    env: Environment, which: str, comes_back: dict[str, str]
) -> None:
    url, form, typed = form_of(env, which)
    take_all(env)
    again = reopened(env, url, env.post(url, form.values | typed))

    assert {name: again.values[name] for name in comes_back} == comes_back
    assert again.values["operation_key"] != form.values["operation_key"]
    assert SECRET not in again.values.values()
    assert not Operation.objects.exists()
    CallSlot.objects.all().delete()
    for _click in range(2):
        env.post(url, again.values | typed)
        env.settled()
    assert Operation.objects.count() == 1


def test_form_that_stayed_in_the_browser_is_sent_once(env: Environment) -> None:
    url, form, typed = form_of(env, "credentials")
    take_all(env)
    for _click in range(2):
        assert env.post(url, form.values | typed, htmx=True).status == 503
    CallSlot.objects.all().delete()

    for _click in range(2):
        env.post(url, form.values | typed, htmx=True)
        env.settled()

    assert len(env.calls("PUT")) == 1


def test_reopened_code_step_keeps_its_one_key(env: Environment) -> None:
    url, form, typed = form_of(env, "code")
    take_all(env)

    again = reopened(env, url, env.post(url, form.values | typed))

    assert again.values["operation_key"] == form.values["operation_key"]
    assert "code" in again.names


def test_removal_is_confirmed_again(env: Environment) -> None:
    link = env.belvo_link()
    take_all(env)

    again = reopened(env, url_of(link, "delete"), delete(env, link))

    assert (again.values["reason"], again.values["confirmation"]) == ("The customer closed the account.", "")


def test_reopening_takes_neither_key_nor_secret(env: Environment) -> None:
    url, form, typed = form_of(env, "credentials")

    again = read(env.client().post(url, form.values | typed | {"reopen": "1"}))

    assert SECRET not in again.source
    assert again.form_with("operation_key").values["operation_key"] != form.values["operation_key"]
    assert env.calls("PUT") == []
