"""Unusable integrations say so on all their pages, and no form asks for a secret meanwhile."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause, Secret
from tests.environment import Environment
from tests.follow import follow
from tests.operations.test_paused import pause, submit_button

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

ISOLATES = dict.fromkeys((0x2068, 0x2069))  # around names
REJECTED = "Belvo is rejecting our API keys for Belvo test."


def reject(integration: Integration, *, minutes: int = 8) -> None:
    since = timezone.now() - timedelta(minutes=minutes)
    state = {"key_state": Integration.KeyState.REJECTED, "keys_rejected_at": since, "keys_retry_at": None}
    Integration.objects.filter(pk=integration.pk).update(**state)


def pages(env: Environment, link: Link) -> dict[str, tuple[str, ...]]:
    """Return pages of a link's integration, customer and bank, and who may see them."""
    working, everybody = ("ana", "mia", "aud"), ("ana", "mia", "aud", "adm")
    of_link = link.get_absolute_url()
    return {
        "/": everybody,
        "/links/": working,
        of_link: working,
        f"{of_link}history/": working,
        f"{of_link}credentials/": ("ana",),
        f"{of_link}settings/": ("ana",),
        f"{of_link}fetch/": ("ana", "mia"),
        f"{of_link}notes/": ("ana", "mia"),
        link.end_user.get_absolute_url(): working,
        env.bank("erebor_mx_retail").get_absolute_url(): everybody,
        "/integrations/": ("mia", "aud", "adm"),
        env.belvo.get_absolute_url(): ("mia", "aud", "adm"),
        f"/integrations/{env.belvo.pk}/full-checks/": ("mia", "aud", "adm"),
        f"/integrations/{env.belvo.pk}/edit/": ("adm",),
        f"/admin/integrations/integration/{env.belvo.pk}/change/": ("aud", "adm"),
        "/links/new/": ("ana",),
        env.new_link_url("erebor_mx_retail"): ("ana",),
    }


def test_rejected_keys_are_one_bar_on_every_page_for_every_role(env: Environment) -> None:
    link = env.belvo_link()
    reject(env.belvo)

    for url, names in pages(env, link).items():
        for name in names:
            bar = bar_of(env, url, name)
            assert bar.count(REJECTED) == 1, (url, name)
            assert "First rejected 8 min ago." in bar, (url, name)
            edit = f"/integrations/{env.belvo.pk}/edit/#keys"
            assert (edit in bar) == (name == "adm"), (url, name)
            assert ("An administrator needs to enter new keys." in bar) == (name != "adm"), (url, name)


def bar_of(env: Environment, url: str, name: str = "ana") -> str:
    """Return the source of the bars above a page, with normalized whitespace and without time tags."""
    source = env.open(url, name).source
    assert source.count('id="alerts"') == 1
    inner = source.partition('id="alerts"')[2].partition("<main" if "<main" in source else 'id="content"')[0]
    return " ".join(re.sub(r"</?time[^>]*>", "", inner.translate(ISOLATES)).split())


def test_pages_of_another_integration_show_no_bar(env: Environment) -> None:
    link = env.heron_link()
    reject(env.belvo)

    for url, name in {
        link.get_absolute_url(): "ana",
        link.end_user.get_absolute_url(): "ana",
        env.new_link_url(): "ana",
        env.heron.get_absolute_url(): "adm",
    }.items():
        assert "API keys" not in bar_of(env, url, name), url


def test_integration_that_is_switched_off_needs_no_bar(env: Environment) -> None:
    reject(env.belvo)
    Integration.objects.filter(pk=env.belvo.pk).update(is_active=False)

    assert "API keys" not in bar_of(env, "/")


def test_bar_counts_from_the_first_rejection_and_goes_with_a_good_test(env: Environment) -> None:
    store_secret(env.belvo, "secret_password", Secret("a wrong key"))
    test = f"{env.belvo.get_absolute_url()}test/"
    env.post(test, name="adm")
    Integration.objects.update(keys_rejected_at=timezone.now() - timedelta(hours=3))
    open_page = follow(env.open("/links/"))
    assert "First rejected 3 h ago." in bar_of(env, "/links/")

    env.post(test, name="adm")

    assert "First rejected 3 h ago." in bar_of(env, "/links/")
    assert open_page.poll(env.client()).status_code == 204
    store_secret(env.belvo, "secret_password", Secret("sandbox-password"))
    env.post(test, name="adm")
    assert open_page.poll(env.client()).status_code == 200
    assert "API keys" not in bar_of(env, "/links/")
    env.belvo.refresh_from_db()
    assert env.belvo.keys_rejected_at is None


@pytest.mark.parametrize("why", ["keys", "paused"])
@pytest.mark.parametrize("form", ["new", "credentials", "access-token"])
def test_no_field_for_a_credential_while_nothing_can_be_sent(env: Environment, why: str, form: str) -> None:
    heron = form == "access-token"
    link = env.heron_link(cause=Cause.LOGIN_REFUSED) if heron else env.belvo_link()
    url, secret, button = {
        "new": (env.new_link_url("erebor_mx_retail"), "password", "Create link"),
        "credentials": (f"/links/{link.pk}/credentials/", "password", "Update credentials"),
        "access-token": (f"/links/{link.pk}/access-token/", "access_token", "Replace access token"),
    }[form]
    assert secret in env.open(url).inputs()

    (reject if why == "keys" else pause)(link.integration)

    page = env.open(url)
    attrs = submit_button(page, button)
    assert secret not in page.inputs()
    assert ("disabled" in attrs, attrs["aria-describedby"]) == (True, "why-paused")
    assert {"keys": "is rejecting our API keys", "paused": "are paused until"}[why] in page.words


def test_form_that_was_sent_when_keys_were_rejected_comes_back_without_its_field(env: Environment) -> None:
    link = env.belvo_link()
    url = f"/links/{link.pk}/credentials/"
    values = env.open(url).form_with("password").values | {"password": "pass_valid"}
    reject(env.belvo)

    page = env.post(url, values)

    assert page.status == 409
    assert "password" not in page.inputs()
    assert env.calls("PUT") == []


@pytest.mark.parametrize("why", ["keys", "paused"])
def test_open_code_step_stays_with_its_field_disabled(env: Environment, why: str) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="mfa_numeric")
    (reject if why == "keys" else pause)(env.belvo)

    page = env.open(f"/links/{link.pk}/code/")

    field = page.inputs()["code"]
    assert ("disabled" in field, field["aria-describedby"]) == (True, "why-paused")
    assert "disabled" in submit_button(page, "Submit code")
    assert "Read this number to the customer" in page.words


def test_key_form_of_the_integration_always_stays(env: Environment) -> None:
    reject(env.belvo)

    page = env.open(f"/integrations/{env.belvo.pk}/edit/", "adm")

    assert page.inputs()["belvo_secret_password"]["type"] == "password"


def test_nothing_is_green_and_no_main_button_works_beside_rejected_keys(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    reject(env.belvo)

    for url, name in {
        link.get_absolute_url(): "ana",
        link.end_user.get_absolute_url(): "ana",
        env.belvo.get_absolute_url(): "adm",
    }.items():
        source = env.open(url, name).source
        # Past changes are in the timeline and the calendar, with the facts in between.
        without_past = (
            source.partition('id="timeline"')[0] + source.partition('id="facts"')[2].partition('id="days"')[0]
        )
        assert "tone-ok" not in without_past, url
    refresh = [
        each
        for each in env.open(link.get_absolute_url()).elements
        if each.attrs.get("aria-describedby") == "why-unread"
    ]
    assert len(refresh) == 1
    assert "disabled" in refresh[0].attrs


def test_integration_with_rejected_keys_can_not_be_chosen_for_a_new_link(env: Environment) -> None:
    reject(env.belvo)

    page = env.open("/links/new/")

    assert f"?integration={env.belvo.pk}" not in page.source
    assert f"?integration={env.heron.pk}" in page.source


def test_pause_is_a_bar_that_says_until_when(env: Environment) -> None:
    link = env.belvo_link()
    open_page = follow(env.open("/links/"))
    pause(env.belvo)

    bar = bar_of(env, link.get_absolute_url())

    assert "Requests to Belvo test are paused until" in bar
    assert "tone-bad" not in bar
    assert open_page.poll(env.client()).status_code == 200
