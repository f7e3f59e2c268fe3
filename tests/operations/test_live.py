"""Polling of open pages: cheap, leaves no trace, and reports every visible change."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone

from linkadmin.accounts.models import StaffSession as Session
from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause, HealthState
from linkadmin.urls import urlpatterns as ours
from tests.environment import HTMX, Environment
from tests.follow import follow
from tests.sync.statements import changed_tables

pytestmark = pytest.mark.django_db(transaction=True)

FEWER_THAN = 1024  # bytes in a response


def only_reads_who_asks(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user.pk), status=200)


urlpatterns = [*ours, path("who/", only_reads_who_asks, name="own-security")]


def bytes_of(answer: HttpResponse) -> int:
    head = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\n"
    return len(head) + len(answer.serialize_headers()) + 4 + len(answer.content)


def statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(url, headers=HTMX)
    return len(asked)


def repaired(env: Environment) -> Link:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")
    link.refresh_from_db()
    assert link.is_verifying
    return link


@pytest.mark.urls(__name__)
@pytest.mark.usefixtures("still", "started_long_ago", "running", "known_for_long")
def test_poll_costs_one_query_besides_authentication(env: Environment) -> None:
    link = repaired(env)
    client = env.client()
    followed = follow(env.open(link.get_absolute_url()))

    bare = statements(client, "/who/")

    assert statements(client, f"{followed.url}?v={followed.version}") == bare + 1
    assert statements(client, "/live/") == bare + 1


@pytest.mark.usefixtures("still")
def test_poll_is_small_and_leaves_no_trace(env: Environment) -> None:
    link = repaired(env)
    followed = follow(env.open(link.get_absolute_url()))
    seen, sessions = AuditEvent.objects.count(), list(Session.objects.values())

    with changed_tables() as changed:
        same = followed.poll(env.client())
        other = env.client().get(followed.url, headers=HTMX)

    assert (same.status_code, same.content, other.status_code) == (204, b"", 200)
    assert max(bytes_of(same), bytes_of(other)) < FEWER_THAN
    assert "Set-Cookie" not in same.headers
    assert changed == []
    assert (AuditEvent.objects.count(), list(Session.objects.values())) == (seen, sessions)


def test_polling_does_not_extend_the_session(env: Environment) -> None:
    url = repaired(env).get_absolute_url()
    followed = follow(env.open(url))

    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _minute in range(16):
            clock.shift(timedelta(minutes=1))
            last = followed.poll(env.client())
            env.client().get(url, headers={"Live-Follows": followed.mark})

    assert last.status_code == 401
    assert last["HX-Redirect"].startswith("/accounts/login/?next=")
    assert AuditEvent.objects.filter(action="session.ended").count() == 1


def test_poll_says_how_soon_to_ask_again_and_less_often_with_time(env: Environment) -> None:
    link = repaired(env)
    url, told = follow(env.open(link.get_absolute_url())).url, {}

    for minutes in (1, 19, 21, 59, 61, 361):
        Link.objects.filter(pk=link.pk).update(verifying_since=timezone.now() - timedelta(minutes=minutes))
        told[minutes] = env.client().get(url, headers=HTMX)["Live-Seconds"]

    assert told == {1: "2", 19: "2", 21: "5", 59: "5", 61: "15", 361: "0"}


@pytest.mark.parametrize(("cause", "seconds"), [(Cause.LOGIN_REFUSED, "0"), (Cause.WORKING, "0"), (Cause.PENDING, "2")])
def test_idle_link_is_polled_rarely(env: Environment, cause: Cause, seconds: str) -> None:
    link = env.heron_link(cause=cause)
    assert (link.health == HealthState.SETTING_UP.value) == (seconds == "2")

    assert follow(env.open(link.get_absolute_url())).seconds == seconds


def prove(env: Environment, link: Link) -> None:
    env.prove(link)


def start_an_operation(env: Environment, link: Link) -> None:
    env.send(f"/links/{link.pk}/fetch/", resources="ACCOUNTS")


def refuse_keys(env: Environment, link: Link) -> None:
    Integration.objects.filter(pk=link.integration_id).update(key_state=Integration.KeyState.REJECTED)


@pytest.mark.parametrize("change", [prove, refuse_keys])
def test_poll_reports_changes_and_the_refreshed_page_is_current(
    env: Environment, change: Callable[[Environment, Link], None]
) -> None:
    link = repaired(env)
    followed = follow(env.open(link.get_absolute_url()))
    assert followed.poll(env.client()).status_code == 204

    change(env, link)

    changed = followed.poll(env.client())
    assert (changed.status_code, changed.content.decode()) == (
        200,
        follow(env.open(link.get_absolute_url())).version,
    )


def test_refreshed_page_is_not_another_view(env: Environment) -> None:
    link = repaired(env)
    url = link.get_absolute_url()
    followed = follow(env.open(url))
    before = AuditEvent.objects.filter(action="link.viewed").count()

    again = env.client().get(url, headers={"Live-Follows": followed.mark})

    assert again.status_code == 200
    assert AuditEvent.objects.filter(action="link.viewed").count() == before


@pytest.mark.parametrize("forged", ["made up", "of another page", "of a colleague"])
def test_forged_marker_hides_no_view(env: Environment, forged: str) -> None:
    link, other = repaired(env), env.belvo_link("Blue Fern", bank="gringotts_mx_retail")
    mark = follow(env.open(other.get_absolute_url() if forged == "of another page" else link.get_absolute_url())).mark
    client = env.client("ben" if forged == "of a colleague" else "ana")
    before = AuditEvent.objects.filter(action="link.viewed").count()

    answer = client.get(link.get_absolute_url(), headers={"Live-Follows": "1:x:y" if forged == "made up" else mark})

    assert answer.status_code == 200
    assert AuditEvent.objects.filter(action="link.viewed").count() == before + 1


def test_finished_operation_redirects_its_page(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="lost_after")
    lost = env.last_operation(link)
    followed = follow(env.open(lost.get_absolute_url()))
    assert (lost.state, followed.seconds, followed.poll(env.client()).status_code) == (State.UNKNOWN, "2", 204)

    tasks.reconcile_one(str(lost.pk))

    over = followed.poll(env.client())
    assert (over.status_code, over["HX-Redirect"]) == (286, link.get_absolute_url())


def test_page_of_an_old_operation_does_not_redirect(env: Environment) -> None:
    link = repaired(env)
    done = Operation.objects.get(link=link)

    followed = follow(env.open(done.get_absolute_url()))

    assert followed.url.startswith("/live/?of=")
    assert (followed.seconds, followed.poll(env.client()).status_code) == ("0", 204)


def test_auditor_can_poll_visible_pages(env: Environment) -> None:
    link = repaired(env)
    followed = follow(env.open(link.get_absolute_url(), "aud"))

    assert followed.poll(env.client("aud")).status_code == 204
    assert followed.poll(env.client("adm")).status_code == 403


@pytest.mark.parametrize("password", ["mfa_default", "pass_valid"])
def test_steps_stay_until_the_link_works(env: Environment, password: str) -> None:
    link = env.belvo_link()

    form = env.open(f"/links/{link.pk}/credentials/")
    assert "Credentials Enter code, if needed Verifying repair Working" in form.words
    env.send(f"/links/{link.pk}/credentials/", password=password)
    if password == "mfa_default":
        assert current_step(env, link) == "Enter code"
        env.send(f"/links/{link.pk}/code/", code="111111")
    assert current_step(env, link) == "Verifying repair"
    env.prove(link)

    page = env.open(link.get_absolute_url())
    # no code, no such step
    done = "Credentials Enter code" if password == "mfa_default" else "Credentials"
    assert f"{done} Verifying repair Working" in page.words
    assert current_step(env, link) == ""


def current_step(env: Environment, link: Link) -> str:
    source = env.open(link.get_absolute_url()).source
    marked = source.partition('aria-current="step"')[2]
    return marked.partition(">")[2].partition("<")[0]
