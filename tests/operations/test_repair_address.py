"""An address where the customer repairs a link: shown to who made it while it lives, and stored encrypted."""

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
from tests.house import House

from .desk import act, url_of

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = re.compile(r'<code id="repair-address">(.*?)</code>')


@pytest.fixture
def link(house: House) -> Link:
    return house.belvo_link()


def made(house: House, link: Link) -> Operation:
    act(house, link, "repair-address", locale="pt")
    return house.last_operation(link)


def shown(house: House, operation: Operation, name: str = "ana") -> str:
    found = ADDRESS.search(house.open(operation.get_absolute_url(), name).source)
    return found[1] if found else ""


def test_address_is_shown_with_its_clock_and_how_to_send_it(house: House, link: Link) -> None:
    answer = act(house, link, "repair-address", locale="pt")

    page = house.open(answer.location)

    assert answer.location == house.last_operation(link).get_absolute_url()
    assert "https://widget.belvo.io/?access_token=" in shown(house, house.last_operation(link))
    assert "over a safe channel: whoever has it can use it" in page.words
    assert "Only you can see it here, and only until it expires." in page.words
    assert "Expires in" in page.words


def test_it_changes_nothing_at_the_link(house: House, link: Link) -> None:
    made(house, link)

    link.refresh_from_db()
    assert (link.cause, link.is_proving) == (Cause.LOGIN_REFUSED.value, False)


def test_colleague_does_not_see_it(house: House, link: Link) -> None:
    operation = made(house, link)

    page = house.open(operation.get_absolute_url(), "ben")

    assert not shown(house, operation, "ben")
    assert "Only the person who had it made sees it." in page.words
    assert url_of(link, "repair-address") in page.links()


def test_who_may_make_none_is_told_who_does(house: House, link: Link) -> None:
    page = house.open(made(house, link).get_absolute_url(), "mia")

    assert "If the customer needs one, ask support to make one." in page.words
    assert url_of(link, "repair-address") not in page.links()


def test_no_table_log_or_message_holds_it_in_clear(house: House, link: Link, capfd: pytest.CaptureFixture[str]) -> None:
    operation = made(house, link)
    token = shown(house, operation).split("access_token=")[1].split("&amp;")[0]

    stored = "\n".join(tables().values())

    assert len(token) > 40
    assert str(operation.pk) in stored
    assert token not in stored + "".join(capfd.readouterr())
    assert token not in repr(list(AuditEvent.objects.values()))


def test_it_is_gone_when_it_expires(house: House, link: Link) -> None:
    operation = made(house, link)
    over = timezone.now()
    Operation.objects.update(result={"expires_at": over.isoformat()})
    RepairUrl.objects.update(expires_at=over)

    page = house.open(operation.get_absolute_url())

    assert not shown(house, operation)
    assert "This repair address has expired." in page.words
    assert url_of(link, "repair-address") in page.links()


def test_new_one_replaces_it(house: House, link: Link) -> None:
    old, new = made(house, link), made(house, link)

    page = house.open(old.get_absolute_url())

    assert not shown(house, old)
    assert shown(house, new)
    assert "A newer one may have replaced it." in page.words
    assert [each.operation for each in RepairUrl.objects.all()] == [new]


def test_one_for_another_link_replaces_nothing(house: House, link: Link) -> None:
    old = made(house, link)

    made(house, house.belvo_link("Blue Fern"))

    assert shown(house, old)


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
def test_lost_one_is_void_and_stands_in_nobodys_way(house: House, link: Link, fault: str) -> None:
    house.simulator.fail("POST", "/api/token/", fault)

    page = house.open(act(house, link, "repair-address", locale="es").location)

    operation = house.last_operation(link)
    assert (operation.state, operation.outcome) == (State.EXPIRED, "address_lost")
    assert "The repair address was lost on its way" in page.words
    assert "State Void" in page.words
    assert url_of(link, "repair-address") in page.links()


def test_one_whose_process_died_is_void(house: House, link: Link) -> None:
    operation = made(house, link)
    Operation.objects.update(state=State.SENDING, lease_until=timezone.now())

    tasks.close_overdue()

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.EXPIRED, "address_lost")


def test_link_that_the_customer_repairs_offers_it_at_its_head(house: House, link: Link) -> None:
    page = house.open(link.get_absolute_url())

    assert page.links().index(url_of(link, "credentials")) < page.links().index(url_of(link, "repair-address"))
    assert page.links().count(url_of(link, "repair-address")) == 1


def test_it_is_the_main_way_at_a_bank_that_takes_no_password(house: House) -> None:
    link = house.belvo_link(bank="ofmockbank_br_retail")

    page = house.open(link.get_absolute_url())

    assert f'class="button button--primary"\n             href="{url_of(link, "repair-address")}"' in page.source
    assert "A password does not help." in page.words
    assert "Update credentials" not in page.words


def test_audit_trail_still_verifies(house: House, link: Link) -> None:
    made(house, link)

    call_command("verify_audit")
