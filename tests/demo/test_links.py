"""The seeded links: they match their providers' records, have a plausible past, and can be repaired."""

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from linkadmin.demo.casting import FIRST_REPAIR, FIRST_REPAIR_ID
from linkadmin.integrations import connections
from linkadmin.integrations.models import CallQuota, Integration
from linkadmin.links import health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.counts import most_waiting
from linkadmin.links.models import HealthChange, Institution, Link
from linkadmin.links.search import search
from linkadmin.operations import reading
from linkadmin.operations.budget import FREE_ATTEMPTS, budget_of
from linkadmin.operations.models import Operation
from linkadmin.providers.errors import CodeRequired
from linkadmin.providers.types import Cause, HealthState, Secret
from linkadmin.sync.institutions import read_institutions

from .conftest import NOW

pytestmark = [pytest.mark.deep, pytest.mark.usefixtures("state", "db")]

REREAD = 20  # of the working links


def links() -> Any:
    return Link.objects.select_related("integration", "end_user", "institution").order_by("pk")


def first_repair() -> Link:
    found: Link = links().get(end_user__name=FIRST_REPAIR)
    return found


def said_of(link: Link) -> tuple[object, ...]:
    """Return what a page shows of a link."""
    return (
        link.health,
        link.cause,
        link.health_since,
        link.urgency,
        link.conflict,
        link.renew_by,
        link.last_good_at,
        link.stale_at,
    )


def raw_of(link: Link) -> tuple[str, ...]:
    return link.raw_status, link.raw_code, link.raw_words, link.access_mode, link.refresh_rate, link.remote_kind


def read_again(chosen: list[Link]) -> list[Link]:
    for link in chosen:
        CallQuota.objects.all().delete()  # as if time had passed
        reading.read(link)
    return list(links().filter(pk__in=[link.pk for link in chosen]))


@pytest.mark.usefixtures("providers")
def test_asking_the_provider_leaves_every_state_as_it_is() -> None:
    chosen = [*links().exclude(cause=Cause.WORKING), *links().filter(cause=Cause.WORKING)[:REREAD]]
    before = {link.pk: said_of(link) for link in chosen}

    after = {link.pk: said_of(link) for link in read_again(chosen)}

    assert len(chosen) >= 60
    assert after == before
    assert {said[0] for said in after.values()} == {state.value for state in HealthState}


@pytest.mark.usefixtures("providers")
def test_what_is_shown_as_the_providers_word_is_its_record_word_for_word() -> None:
    chosen = list(links().filter(refused_at=None).exclude(cause=Cause.WORKING))
    before = {link.pk: raw_of(link) for link in chosen}

    after = {link.pk: raw_of(link) for link in read_again(chosen)}

    assert after == before


@pytest.mark.usefixtures("providers")
def test_the_seeded_institution_list_matches_a_read_of_it() -> None:
    columns = [field.name for field in Institution._meta.fields if field.name != "read_at"]
    rows = Institution.objects.filter(integration__provider="belvo").order_by("name")
    before = list(rows.values(*columns))

    read_institutions(Integration.objects.get(provider="belvo"))

    assert list(rows.values(*columns)) == before


@pytest.mark.usefixtures("providers")
@pytest.mark.parametrize("provider", ["belvo", "heron"])
def test_the_seeded_keys_are_valid(provider: str) -> None:
    integration = Integration.objects.get(provider=provider)

    report = connections.client_for(integration).test_connection()

    assert integration.key_state == Integration.KeyState.VALID
    assert integration.test_detail.startswith(f"{report.detail} (")


def test_the_first_repair_leads_the_work_list() -> None:
    top = links().order_by("urgency", "health_since", "pk").first()

    assert top == first_repair()
    assert top.end_user.external_id == FIRST_REPAIR_ID
    assert top.health == HealthState.CUSTOMER_CODE.value


@pytest.mark.usefixtures("providers")
def test_the_first_repair_takes_a_wrong_and_then_the_right_code() -> None:
    link = first_repair()
    provider = connections.client_for(link.integration)
    with pytest.raises(CodeRequired) as asked:
        provider.update_credentials(link.ref, {"password": Secret("pass_valid")})
    first = asked.value.challenge

    with pytest.raises(CodeRequired) as asked_again:
        provider.submit_code(session=first.session, remote_link_id=link.remote_id, code=Secret("222222"))
    health.start_verifying(link, at=timezone.now(), request_id="")
    second = asked_again.value.challenge
    provider.submit_code(session=second.session, remote_link_id=link.remote_id, code=Secret("111111"))
    reading.read(link)

    assert (link.health, link.cause, link.is_verifying) == (HealthState.HEALTHY.value, Cause.WORKING.value, False)


def test_the_customers_and_links_are_found_by_what_people_read_out() -> None:
    link = first_repair()

    for words in ("acme corp", FIRST_REPAIR_ID, "heimdall acme", link.remote_id[:13], str(link.pk)):
        assert link in search(Link.objects.all(), words, see_names=True)


def test_two_banks_fail_for_several_customers_since_this_morning() -> None:
    several = most_waiting(10, "sandbox", at_least=4)

    assert sorted(bank.is_down for bank in Institution.objects.filter(pk__in=several)) == [False, True]
    waiting = Link.objects.filter(cause=Cause.BANK_DOWN)
    assert all(timedelta() < NOW - link.health_since < timedelta(hours=5) for link in waiting)


def test_the_past_of_each_link_leads_to_its_present() -> None:
    past: dict[object, list[HealthChange]] = defaultdict(list)
    for change in HealthChange.objects.order_by("id"):
        past[change.link_id].append(change)

    for link in links():
        changes = past[link.pk]
        assert 1 <= len(changes) <= 9
        assert [change.old for change in changes] == ["", *(change.new for change in changes[:-1])]
        assert [change.at for change in changes] == sorted({change.at for change in changes})
        assert (changes[-1].new, changes[-1].cause) == (link.health, link.cause)
        assert link.created_at <= changes[0].at
        assert changes[-1].at < NOW


def test_every_change_has_the_state_of_its_cause() -> None:
    changes = HealthChange.objects.values_list("new", "cause").distinct()

    assert all(VERDICTS[Cause(cause)].state.value == new for new, cause in changes)


def test_each_state_began_when_the_history_says() -> None:
    for link in links().prefetch_related("changes"):
        turns = [change for change in sorted(link.changes.all(), key=lambda each: each.at) if change.old != change.new]
        assert link.health_since == turns[-1].at
        assert link.urgency == link.rank()


def test_nothing_is_under_way_and_the_past_fits_together() -> None:
    assert not Operation.objects.open().exists()
    for operation in Operation.objects.select_related("parent", "link"):
        assert operation.created_at <= operation.sent_at < operation.finished_at < NOW
        assert operation.link.created_at - timedelta(minutes=1) <= operation.sent_at
        assert operation.parent is None or operation.parent.finished_at == operation.sent_at
    assert len(Counter(Operation.objects.values_list("kind", "state"))) >= 6


def test_every_change_by_a_call_names_the_operation_that_made_it() -> None:
    called = HealthChange.objects.filter(source=HealthChange.Source.CALL)
    known = dict(Operation.objects.values_list("pk", "link"))

    assert called.exists()
    assert all(known[change.operation_id] == change.link_id for change in called)


def test_no_bank_has_refused_so_often_of_late_that_a_repair_is_forbidden() -> None:
    counted = Operation.objects.filter(counts_as_attempt=True)

    assert counted.exists()
    assert not counted.filter(finished_at__gt=NOW - timedelta(days=2)).exists()
    assert budget_of(first_repair()).left == FREE_ATTEMPTS


def test_what_works_is_fresh_and_what_is_stale_is_old() -> None:
    assert not Link.objects.filter(health=HealthState.HEALTHY.value, stale_at__lt=NOW + timedelta(days=1)).exists()
    assert not Link.objects.filter(health=HealthState.STALE.value).exclude(stale_at__lt=NOW).exists()
    assert not health.gone_stale(now=NOW).exists()
    assert Link.objects.filter(renew_by__gt=NOW.date()).count() >= 3
    assert Link.objects.filter(conflict=True).count() >= 2
