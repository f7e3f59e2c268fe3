"""An integration that can't be used now says so on each of its pages, and nobody is asked for a secret meanwhile."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.connections import keep_secret
from linkadmin.links.models import Integration, Link
from linkadmin.providers.types import Cause, Secret
from tests.follow import pulse_of
from tests.house import House
from tests.operations.test_paused import pause, submit_button

pytestmark = pytest.mark.django_db(transaction=True)

ISOLATES = dict.fromkeys((0x2068, 0x2069))  # around names
REJECTED = "Belvo rejects our API keys for Belvo test."


def reject(integration: Integration, *, minutes: int = 8) -> None:
    since = timezone.now() - timedelta(minutes=minutes)
    state = {"key_state": Integration.KeyState.REFUSED, "keys_refused_at": since, "keys_retry_at": None}
    Integration.objects.filter(pk=integration.pk).update(**state)


def pages(house: House, link: Link) -> dict[str, tuple[str, ...]]:
    """Return pages of a link's integration, customer and bank, and who sees them."""
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
        house.bank("erebor_mx_retail").get_absolute_url(): everybody,
        "/integrations/": ("mia", "aud", "adm"),
        house.belvo.get_absolute_url(): ("mia", "aud", "adm"),
        f"/integrations/{house.belvo.pk}/full-checks/": ("mia", "aud", "adm"),
        f"/admin/links/integration/{house.belvo.pk}/change/": ("aud", "adm"),
        "/links/new/": ("ana",),
        house.new_link_url("erebor_mx_retail"): ("ana",),
    }


def test_rejected_keys_are_one_bar_on_every_page_for_every_role(house: House) -> None:
    link = house.belvo_link()
    reject(house.belvo)

    for url, names in pages(house, link).items():
        for name in names:
            bar = bar_of(house, url, name)
            assert bar.count(REJECTED) == 1, (url, name)
            assert "First rejected 8 min ago." in bar, (url, name)
            change = f"/admin/links/integration/{house.belvo.pk}/change/"
            assert (change in bar) == (name == "adm"), (url, name)
            assert ("An administrator has to enter new keys." in bar) == (name != "adm"), (url, name)


def bar_of(house: House, url: str, name: str = "ana") -> str:
    """Return the source of the bars at the top of a page, its white space made one and its times without their tags."""
    source = house.open(url, name).source
    assert source.count('id="alerts"') == 1
    inner = source.partition('id="alerts"')[2].partition("<main" if "<main" in source else 'id="content"')[0]
    return " ".join(re.sub(r"</?time[^>]*>", "", inner.translate(ISOLATES)).split())


def test_pages_of_another_integration_show_no_bar(house: House) -> None:
    link = house.heron_link()
    reject(house.belvo)

    for url, name in {
        link.get_absolute_url(): "ana",
        link.end_user.get_absolute_url(): "ana",
        house.new_link_url(): "ana",
        house.heron.get_absolute_url(): "adm",
    }.items():
        assert "API keys" not in bar_of(house, url, name), url


def test_integration_that_is_switched_off_needs_no_bar(house: House) -> None:
    reject(house.belvo)
    Integration.objects.filter(pk=house.belvo.pk).update(is_active=False)

    assert "API keys" not in bar_of(house, "/")


def test_bar_counts_from_the_first_refusal_and_goes_with_a_good_test(house: House) -> None:
    keep_secret(house.belvo, "secret_password", Secret("a wrong key"))
    test = f"{house.belvo.get_absolute_url()}test/"
    house.post(test, name="adm")
    Integration.objects.update(keys_refused_at=timezone.now() - timedelta(hours=3))
    open_page = pulse_of(house.open("/links/"))
    assert "First rejected 3 h ago." in bar_of(house, "/links/")

    house.post(test, name="adm")

    assert "First rejected 3 h ago." in bar_of(house, "/links/")
    assert open_page.poll(house.client()).status_code == 204
    keep_secret(house.belvo, "secret_password", Secret("sandbox-password"))
    house.post(test, name="adm")
    assert open_page.poll(house.client()).status_code == 200
    assert "API keys" not in bar_of(house, "/links/")
    house.belvo.refresh_from_db()
    assert house.belvo.keys_refused_at is None


@pytest.mark.parametrize("why", ["keys", "paused"])
@pytest.mark.parametrize("form", ["new", "credentials", "access-token"])
def test_no_field_for_a_credential_while_nothing_can_be_sent(house: House, why: str, form: str) -> None:
    heron = form == "access-token"
    link = house.heron_link(cause=Cause.LOGIN_REFUSED) if heron else house.belvo_link()
    url, secret, button = {
        "new": (house.new_link_url("erebor_mx_retail"), "password", "Create link"),
        "credentials": (f"/links/{link.pk}/credentials/", "password", "Send to the bank"),
        "access-token": (f"/links/{link.pk}/access-token/", "access_token", "Hand it over"),
    }[form]
    assert secret in house.open(url).inputs()

    (reject if why == "keys" else pause)(link.integration)

    page = house.open(url)
    attrs = submit_button(page, button)
    assert secret not in page.inputs()
    assert ("disabled" in attrs, attrs["aria-describedby"]) == (True, "why-paused")
    assert {"keys": "rejects our API keys", "paused": "are paused until"}[why] in page.words


def test_form_that_was_sent_when_keys_were_rejected_comes_back_without_its_field(house: House) -> None:
    link = house.belvo_link()
    url = f"/links/{link.pk}/credentials/"
    values = house.open(url).form_with("password").values | {"password": "pass_valid"}
    reject(house.belvo)

    page = house.post(url, values)

    assert page.status == 409
    assert "password" not in page.inputs()
    assert house.calls("PUT") == []


@pytest.mark.parametrize("why", ["keys", "paused"])
def test_open_code_step_stays_with_its_field_disabled(house: House, why: str) -> None:
    link = house.belvo_link()
    house.send(f"/links/{link.pk}/credentials/", password="mfa_numeric")
    (reject if why == "keys" else pause)(house.belvo)

    page = house.open(f"/links/{link.pk}/token/")

    field = page.inputs()["token"]
    assert ("disabled" in field, field["aria-describedby"]) == (True, "why-paused")
    assert "disabled" in submit_button(page, "Send code")
    assert "Tell the customer this number" in page.words


def test_key_form_of_the_integration_always_stays(house: House) -> None:
    reject(house.belvo)

    page = house.open(f"/admin/links/integration/{house.belvo.pk}/change/", "adm")

    assert page.inputs()["belvo_secret_password"]["type"] == "password"


def test_nothing_is_green_and_no_main_button_works_beside_rejected_keys(house: House) -> None:
    link = house.belvo_link(cause=Cause.WORKING)
    reject(house.belvo)

    for url, name in {
        link.get_absolute_url(): "ana",
        link.end_user.get_absolute_url(): "ana",
        house.belvo.get_absolute_url(): "adm",
    }.items():
        source = house.open(url, name).source
        without_past = (
            source.partition('id="days"')[0] + source.partition('id="facts"')[2].partition('id="timeline"')[0]
        )
        assert "tone-ok" not in without_past, url
    refresh = [
        each
        for each in house.open(link.get_absolute_url()).elements
        if each.attrs.get("aria-describedby") == "why-unread"
    ]
    assert len(refresh) == 1
    assert "disabled" in refresh[0].attrs


def test_integration_with_rejected_keys_can_not_be_chosen_for_a_new_link(house: House) -> None:
    reject(house.belvo)

    page = house.open("/links/new/")

    assert f"?integration={house.belvo.pk}" not in page.source
    assert f"?integration={house.heron.pk}" in page.source


def test_pause_is_a_bar_that_says_until_when(house: House) -> None:
    link = house.belvo_link()
    open_page = pulse_of(house.open("/links/"))
    pause(house.belvo)

    bar = bar_of(house, link.get_absolute_url())

    assert "Calls to Belvo test are paused until" in bar
    assert "tone-bad" not in bar
    assert open_page.poll(house.client()).status_code == 200
