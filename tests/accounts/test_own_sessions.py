"""A person's sessions: listed, ended one by one, and ended for good."""

from datetime import timedelta
from http import HTTPStatus
from importlib import import_module
from io import StringIO

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from linkadmin.accounts import tasks
from linkadmin.accounts.models import ApprovalRequest, StaffSession, User
from linkadmin.audit.models import AuditEvent
from tests.environment import HTMX, PASSWORD, Environment
from tests.markup import read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
START = "2026-03-02T09:00Z"


def signed_in(user: User, browser: str = "") -> Client:
    client = Client(headers={"User-Agent": browser})
    client.force_login(user)
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == HTTPStatus.OK


def the_form(env: Environment, *, active: bool) -> None:
    ana = env.people["ana"]
    values = {"username": "ana", "name": ana.name, "roles": "support"} | ({"is_active": "on"} if active else {})
    assert env.client("adm").post(f"/staff/{ana.pk}/", values).status_code == HTTPStatus.SEE_OTHER
    for each in ApprovalRequest.objects.filter(state="pending"):
        call_command("approve", str(each.pk), stdout=StringIO())


def a_save(env: Environment, *, active: bool) -> None:
    ana = User.objects.get(username="ana")
    ana.is_active = active
    ana.save()


def a_save_of_one_column(env: Environment, *, active: bool) -> None:
    ana = User.objects.get(username="ana")
    ana.is_active = active
    ana.save(update_fields=["is_active"])


def an_update(env: Environment, *, active: bool) -> None:
    User.objects.filter(username="ana").update(is_active=active)


def an_update_in_bulk(env: Environment, *, active: bool) -> None:
    ana = User.objects.get(username="ana")
    ana.is_active = active
    User.objects.bulk_update([ana], ["is_active"])


@pytest.mark.parametrize("way", [the_form, a_save, a_save_of_one_column, an_update, an_update_in_bulk])
def test_sessions_of_a_deactivated_account_never_come_back(env: Environment, way: object) -> None:
    client = env.client()
    assert is_in(client)

    way(env, active=False)  # type: ignore[operator]
    way(env, active=True)  # type: ignore[operator]

    assert not is_in(client)
    assert is_in(signed_in(User.objects.get(username="ana")))


def test_saving_a_stale_account_restores_no_session(env: Environment) -> None:
    client = env.client()
    kept = {name: value for name, value in StaffSession.objects.values()[0].items() if name != "id"}
    stale = User.objects.get(username="ana")
    an_update(env, active=False)
    StaffSession.objects.create(**kept)  # of a request in progress

    stale.save()

    assert User.objects.get(username="ana").is_active
    assert not is_in(client)


def test_password_set_by_an_administrator_ends_sessions_for_good(env: Environment) -> None:
    client, before = env.client(), User.objects.get(username="ana").password
    User.objects.filter(username="ana").update(password="another")
    User.objects.filter(username="ana").update(password=before)

    assert not is_in(client)


@pytest.mark.parametrize("address", ["/live/", "/"])
def test_session_with_nothing_but_polls_ends_when_idle(env: Environment, address: str) -> None:
    headers = HTMX | ({"Live-Follows": "anything"} if address == "/" else {})
    with time_machine.travel(START, tick=False) as clock:
        client = env.client()
        for _poll in range(16):
            clock.shift(60)
            answer = client.get(address, headers=headers)

    assert (answer.status_code, answer.content) == (HTTPStatus.UNAUTHORIZED, b"")
    assert answer["HX-Redirect"].startswith("/accounts/login/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'


def test_sessions_are_listed_by_browser_and_address(env: Environment) -> None:
    Client(headers={"User-Agent": FIREFOX}).post("/accounts/login/", {"login": "ana", "password": PASSWORD})
    signed_in(env.people["ben"], "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/605.1")

    page = env.open("/accounts/security/")

    assert "Firefox on Windows" in page.words
    assert "127.0.0.1" in page.words
    assert "This session" in page.words
    assert "iPhone" not in page.words
    assert not any(each.session_key in page.source for each in StaffSession.objects.all())


def test_session_times_are_relative_with_the_exact_time_on_hover(env: Environment) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in(env.people["ana"])
        clock.shift(timedelta(minutes=8))
        page = read(client.get("/accounts/security/"))
        clock.shift(timedelta(seconds=59))
        later = read(client.get("/accounts/security/"))

    times = [each.attrs.get("title") for each in page.elements if each.tag == "time"]
    assert times == ["Mar 2, 2026, 09:00 UTC"] * 2
    assert "8 min ago" in page.words
    assert "59 s ago" in later.words


def test_signing_out_everywhere_else(env: Environment) -> None:
    elsewhere = [signed_in(env.people["ana"]), signed_in(env.people["ana"])]
    colleague = signed_in(env.people["ben"])
    here = env.client()

    page = env.post("/accounts/sessions/end/")

    assert page.location == "/accounts/security/"
    assert (is_in(here), [is_in(each) for each in elsewhere], is_in(colleague)) == (True, [False, False], True)
    assert AuditEvent.objects.filter(action="session.ended", actor="ana").count() == len(elsewhere)


def test_single_sessions_can_be_ended_but_not_a_colleagues(env: Environment) -> None:
    elsewhere, colleague = signed_in(env.people["ana"]), signed_in(env.people["ben"])
    ids = {each.user_id: each.public_id for each in StaffSession.objects.all()}
    env.client()

    env.post("/accounts/sessions/end/", {"session": ids[env.people["ben"].pk]})
    env.post("/accounts/sessions/end/", {"session": ids[env.people["ana"].pk]})

    assert (is_in(elsewhere), is_in(colleague), is_in(env.client())) == (False, True, True)


def test_administrator_ends_all_sessions_and_it_is_recorded(env: Environment) -> None:
    client = env.client()
    ana = env.people["ana"]
    address = f"/staff/{ana.pk}/"
    assert "End all sessions" in env.open(address, "adm").words

    env.post(f"{address}sessions/end/", name="adm")

    assert not is_in(client)
    event = AuditEvent.objects.get(action="session.ended")
    assert (event.actor, event.object_id) == ("adm", str(ana.pk))
    assert env.post(f"{address}sessions/end/", name="aud").status == HTTPStatus.FORBIDDEN


def test_expired_sessions_are_removed_and_recorded(env: Environment) -> None:
    with time_machine.travel(START, tick=False) as clock:
        env.client()
        clock.shift(timedelta(minutes=14))
        recent = env.client("ben").session.session_key
        clock.shift(timedelta(minutes=2))

        tasks.end_expired_sessions()

        assert [each.pk for each in StaffSession.objects.all()] == [recent]
    event = AuditEvent.objects.get(action="session.ended")
    assert (event.actor, event.object_id) == ("", str(env.people["ana"].pk))


def test_sign_out_from_the_admin_clears_the_browser(env: Environment) -> None:
    answer = env.client("adm").post("/admin/logout/")

    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_in(env.client("adm"))


def test_configured_session_store_is_used() -> None:
    assert import_module(settings.SESSION_ENGINE).SessionStore.get_model_class() is StaffSession
