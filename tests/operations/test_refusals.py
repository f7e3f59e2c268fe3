"""A refusal that no input can fix has its own title, not that of a form with errors."""

import html
import re

import pytest

from linkadmin.integrations.models import Integration
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause
from tests.environment import PASSWORD, Environment
from tests.markup import Page, read
from tests.operations.helpers import act, url_of
from tests.troubles import locked

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "hunter2_bank"
CORRECTIONS = re.compile("need attention|needs attention|to correct")


def titles(page: Page) -> list[str]:
    """Titles of the alerts above a form."""
    assert not CORRECTIONS.search(page.words)
    main = re.search(r"<main.*?</main>", page.source, re.DOTALL)
    assert main
    return [html.unescape(title).strip() for title in re.findall(r'class="alert__title">([^<]*)<', main[0])]


def _forms(env: Environment) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Every form that sends something to a provider: who fills it in, where, and with what."""
    broken, coded, working = env.belvo_link(), env.belvo_link("Ninth Dental"), env.belvo_link(cause=Cause.WORKING)
    at_heron = env.heron_link()
    env.send(url_of(coded, "credentials"), password="pass_mfa")
    integration = env.heron.get_absolute_url()
    new_link = {"end_user_id": "cus-1", "end_user_name": "Ivy <3", "item_id": "item-9", "access_token": SECRET}
    removal = {"reason": "The customer closed the account.", "confirmation": broken.end_user.external_id}
    return {
        "credentials": ("ana", url_of(broken, "credentials"), {"password": SECRET}),
        "code": ("ana", url_of(coded, "code"), {"code": SECRET}),
        "settings": ("ana", url_of(working, "settings"), {"stale_in": "90d"}),
        "access token": ("ana", url_of(at_heron, "access-token"), {"access_token": SECRET}),
        "removal": ("mia", url_of(broken, "delete"), removal),
        "new link": ("ana", env.new_link_url(), new_link),
        "all reports": ("adm", f"{integration}reports/", {"typed": env.heron.name}),
    }


def test_unsaved_change_has_its_own_title_and_keeps_the_form(env: Environment) -> None:
    filled = {
        name: (who, url, env.open(url, who).form_with(*typed).values | typed)
        for name, (who, url, typed) in _forms(env).items()
    }
    for who, _url, _values in filled.values():
        env.client(who).raise_request_exception = False

    with locked():
        pages = {name: env.post(url, values, who) for name, (who, url, values) in filled.items()}

    for name, page in pages.items():
        assert page.status == 503, name
        assert "We couldn't save this" in titles(page), name
        assert "so nothing was sent" in page.words, name
        assert page.form_with("operation_key"), name
        assert SECRET not in page.source, name
    assert pages["new link"].form_with("item_id").values["end_user_name"] == "Ivy <3"


def test_unchanged_settings_are_no_input_error(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.post(url_of(link, "refresh"))
    env.settled()

    assert titles(act(env, link, "settings")) == ["Nothing to change"]


def test_form_resent_with_other_values_is_no_input_error(env: Environment) -> None:
    url = env.new_link_url()
    typed = {"end_user_id": "cus-1", "end_user_name": "Ivy", "item_id": "item-1", "access_token": "access-invalid"}
    values = env.open(url).form_with("item_id").values | typed
    env.post(url, values)

    assert titles(env.post(url, values | {"item_id": "item-2"})) == ["Nothing was sent"]


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        ({"is_active": False}, "Nothing was sent"),
        ({"key_state": Integration.KeyState.REJECTED}, "Can't do this right now"),
    ],
)
def test_inactive_integration_is_no_input_error(env: Environment, keys: dict[str, object], title: str) -> None:
    url = url_of(env.belvo_link(), "credentials")
    form = env.open(url).form_with("password")
    Integration.objects.update(**keys)

    page = env.post(url, form.values | {"password": SECRET})

    assert title in titles(page)
    assert "An administrator has to fix it first." in page.words


def test_code_of_a_colleague_is_no_input_error(env: Environment) -> None:
    link = env.belvo_link()
    env.send(url_of(link, "credentials"), password="pass_mfa")
    form = env.open(url_of(link, "code")).form_with("code")

    page = env.post(url_of(link, "code"), form.values | {"code": "111111"}, "ben")

    assert "Nothing was sent" in titles(page)
    assert "A colleague started this" in page.words


@pytest.mark.parametrize(
    ("was_decided", "title"), [(True, "A colleague already did this"), (False, "Someone else has to resolve it")]
)
def test_late_or_denied_decision_is_no_input_error(env: Environment, was_decided: bool, title: str) -> None:
    link = env.belvo_link()
    env.send(url_of(link, "credentials"), password="pass_valid")
    env.settled()
    Operation.objects.update(
        state="needs_decision", actor=env.people["ana" if was_decided else "mia"], finished_at=None, cause=""
    )
    url = f"{env.last_operation().get_absolute_url()}decide/"
    decision = {"outcome": "done", "note": "Asked the bank."}
    if was_decided:
        env.post(url, decision, "mia")

    page = env.post(url, decision, "mia")

    assert page.status == 409
    assert title in titles(page)


def test_rate_limited_sign_in_is_no_input_error(env: Environment) -> None:
    client, typed = env.client("aud"), {"login": "ana", "password": "wrong"}
    client.logout()

    pages = [read(client.post("/accounts/login/", typed)) for _try in range(6)]

    assert titles(pages[0]) == ["Wrong username or password."]
    assert titles(pages[-1])[0].startswith("Too many failed sign-ins.")
    assert PASSWORD not in pages[-1].source


def test_field_errors_are_counted_without_general_ones(env: Environment) -> None:
    page = env.post(env.new_link_url(), env.open(env.new_link_url()).form_with("item_id").values)

    wrong = [name for name in page.inputs() if page.error_at(name)]
    assert len(wrong) > 1
    assert f"{len(wrong)} fields need attention" in page.words
