"""Repair URLs: shown only to the person who created them until they expire, and stored encrypted."""

import re

import pytest
from django.core.management import call_command
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, RepairUrl, State
from linkadmin.providers.types import Cause
from tests.canary.dump import tables
from tests.environment import Environment

from .helpers import act, url_of

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = re.compile(r'<code id="repair-url">(.*?)</code>')


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link()


def made(env: Environment, link: Link) -> Operation:
    act(env, link, "repair-url", locale="pt")
    return env.last_operation(link)


def shown(env: Environment, operation: Operation, name: str = "ana") -> str:
    found = ADDRESS.search(env.open(operation.get_absolute_url(), name).source)
    return found[1] if found else ""


def test_url_is_shown_with_its_expiry_and_how_to_send_it(env: Environment, link: Link) -> None:
    answer = act(env, link, "repair-url", locale="pt")

    page = env.open(answer.location)

    assert answer.location == env.last_operation(link).get_absolute_url()
    assert "/widget.belvo.io/?access_token=" in shown(env, env.last_operation(link))
    assert "through a secure channel: anyone who has it can use it" in page.words
    assert "Only you can see it here, and only until it expires." in page.words
    assert "Expires in" in page.words


def test_it_changes_nothing_at_the_link(env: Environment, link: Link) -> None:
    made(env, link)

    link.refresh_from_db()
    assert (link.cause, link.is_verifying) == (Cause.LOGIN_REFUSED.value, False)


def test_colleague_does_not_see_it(env: Environment, link: Link) -> None:
    operation = made(env, link)

    page = env.open(operation.get_absolute_url(), "ben")

    assert not shown(env, operation, "ben")
    assert "Only the person who created it can see it." in page.words
    assert url_of(link, "repair-url") in page.links()


def test_people_without_the_right_see_who_can_create_one(env: Environment, link: Link) -> None:
    page = env.open(made(env, link).get_absolute_url(), "mia")

    assert "If the customer needs one, ask support to create it." in page.words
    assert url_of(link, "repair-url") not in page.links()


def test_no_table_log_or_message_holds_it_in_clear(
    env: Environment, link: Link, capfd: pytest.CaptureFixture[str]
) -> None:
    operation = made(env, link)
    token = shown(env, operation).split("access_token=")[1].split("&amp;")[0]

    stored = "\n".join(tables().values())

    assert len(token) > 40
    assert str(operation.pk) in stored
    assert token not in stored + "".join(capfd.readouterr())
    assert token not in repr(list(AuditEvent.objects.values()))


def test_it_disappears_when_it_expires(env: Environment, link: Link) -> None:
    operation = made(env, link)
    over = timezone.now()
    Operation.objects.update(result={"expires_at": over.isoformat()})
    RepairUrl.objects.update(expires_at=over)

    page = env.open(operation.get_absolute_url())

    assert not shown(env, operation)
    assert "This repair URL has expired." in page.words
    assert url_of(link, "repair-url") in page.links()


def test_new_one_replaces_it(env: Environment, link: Link) -> None:
    old, new = made(env, link), made(env, link)

    page = env.open(old.get_absolute_url())

    assert not shown(env, old)
    assert shown(env, new)
    assert "A newer one may have replaced it." in page.words
    assert [each.operation for each in RepairUrl.objects.all()] == [new]


def test_one_for_another_link_replaces_nothing(env: Environment, link: Link) -> None:
    old = made(env, link)

    made(env, env.belvo_link("Blue Fern"))

    assert shown(env, old)


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
def test_lost_one_is_closed_and_blocks_nothing(env: Environment, link: Link, fault: str) -> None:
    env.simulator.fail("POST", "/api/token/", fault)

    page = env.open(act(env, link, "repair-url", locale="es").location)

    operation = env.last_operation(link)
    assert (operation.state, operation.outcome) == (State.EXPIRED, "url_lost")
    assert "We didn't get the repair URL" in page.words
    assert "Status Not received" in page.words
    assert url_of(link, "repair-url") in page.links()


def test_one_whose_process_died_is_closed(env: Environment, link: Link) -> None:
    operation = made(env, link)
    Operation.objects.update(state=State.SENDING, lease_until=timezone.now())

    tasks.close_overdue()

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.EXPIRED, "url_lost")


def test_link_repaired_by_the_customer_offers_it_first(env: Environment, link: Link) -> None:
    page = env.open(link.get_absolute_url())

    assert page.links().index(url_of(link, "credentials")) < page.links().index(url_of(link, "repair-url"))
    assert page.links().count(url_of(link, "repair-url")) == 1


def test_it_is_the_main_way_at_a_bank_that_takes_no_password(env: Environment) -> None:
    link = env.belvo_link(bank="ofmockbank_br_retail")

    page = env.open(link.get_absolute_url())

    (main,) = [each.attrs for each in page.elements if "button--primary" in each.attrs.get("class", "")]
    assert main["href"] == url_of(link, "repair-url")
    assert "A password won't help." in page.words
    assert "Update credentials" not in page.words


def test_audit_log_still_verifies(env: Environment, link: Link) -> None:
    made(env, link)

    call_command("verify_audit")
