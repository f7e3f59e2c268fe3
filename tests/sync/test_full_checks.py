"""A full check reads the state of all links of an integration: changes are stored, nothing else is written."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape

from linkadmin.integrations.models import Integration
from linkadmin.links.causes import STATES
from linkadmin.links.models import HealthChange, Link, LinkRead, Reason
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.providers.belvo import provider as belvo
from linkadmin.providers.heron import record_calls as heron_beside
from linkadmin.providers.types import Cause, HealthState
from linkadmin.sync import full_checks, reads
from linkadmin.sync.models import FullCheck, FullCheckState
from tests.environment import HERON_INTEGRATION, Environment
from tests.sync.full_checking import (
    at_provider,
    completed_full_check,
    full_check,
    generated_links,
    in_linkadmin,
    read_one,
)
from tests.sync.statements import changed_tables

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PAGE = 20
OF_LINKS = {"links_link", "links_healthchange", "links_linksearch", "links_enduser", "links_countmove"}


@pytest.fixture(params=["belvo", "heron"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make fifty links fill several pages."""
    monkeypatch.setattr(belvo, "_LONGEST_PAGE", PAGE)
    monkeypatch.setattr(heron_beside, "_LONG_PAGE", PAGE)


@pytest.fixture
def small_env(transactional_db: None, small_pages: None) -> Iterator[Environment]:
    """An environment with fifty links per provider, none known to us."""
    with generated_links(50) as env:
        yield env


def of(env: Environment, provider: str) -> Integration:
    return env.belvo if provider == "belvo" else env.heron


def test_first_full_check_finds_every_link(small_env: Environment, provider: str) -> None:
    integration = of(small_env, provider)

    done = completed_full_check(integration)

    assert in_linkadmin(integration) == at_provider(small_env, integration)
    assert done.found == integration.links.count() > 40
    assert HealthChange.objects.count() == done.found


def test_found_links_belong_to_their_customers(small_env: Environment) -> None:
    completed_full_check(small_env.heron)
    completed_full_check(small_env.belvo)

    heron = small_env.heron.links.select_related("end_user").first()
    owners = {each.item_id: each.end_user_id for each in small_env.simulator.store.heron_links.values()}
    assert heron is not None
    assert heron.end_user.external_id == owners[heron.remote_id]
    assert heron.end_user.name
    assert all(link.institution for link in small_env.belvo.links.select_related("institution"))


def test_full_check_of_unchanged_links_writes_no_link(small_env: Environment, provider: str) -> None:
    integration = of(small_env, provider)
    completed_full_check(integration)

    with changed_tables() as tables:
        done = completed_full_check(integration)

    assert "sync_fullcheck" in tables
    assert OF_LINKS.isdisjoint(tables)
    assert (done.written, done.changed, done.found) == (0, 0, 0)


def test_changes_at_the_provider_appear_after_one_full_check(small_env: Environment, provider: str) -> None:
    integration = of(small_env, provider)
    completed_full_check(integration)
    moved = (
        set(small_env.simulator.drift(belvo=10, heron=10, seed=5)[provider])
        & at_provider(small_env, integration).keys()
    )

    done = completed_full_check(integration)

    assert in_linkadmin(integration) == at_provider(small_env, integration)
    assert done.written == len(moved) > 5
    assert HealthChange.objects.filter(link__remote_id__in=moved).count() == 2 * len(moved)


def test_customers_of_whom_the_list_says_nothing_new_are_not_read(small_env: Environment) -> None:
    completed_full_check(small_env.heron)
    in_trouble = set(small_env.heron.links.exclude(health__in=["healthy", "disconnected"]).values_list("end_user"))
    before = len(small_env.calls("GET", f"/api/integrations/{HERON_INTEGRATION}/links"))

    completed_full_check(small_env.heron)

    assert len(small_env.calls("GET", f"/api/integrations/{HERON_INTEGRATION}/links")) - before == len(in_trouble) < 20


def test_all_links_count_as_checked_when_a_full_check_began(small_env: Environment, provider: str) -> None:
    completed_full_check(of(small_env, provider))

    done = completed_full_check(of(small_env, provider))

    link = Link.objects.select_related("integration").first()
    assert link is not None
    assert link.last_checked_at == done.started_at


def test_customers_in_trouble_are_read_first(env: Environment) -> None:
    links = [env.heron_link(f"Customer {number}", item_id=f"item-{number}") for number in range(3)]
    new, waiting, code_needed = (env.heron.links.filter(pk=link.pk) for link in links)
    new.delete()
    waiting.update(urgency=STATES[HealthState.WAITING].rank, health=HealthState.WAITING.value)
    code_needed.update(urgency=STATES[HealthState.CUSTOMER_CODE].rank, health=HealthState.CUSTOMER_CODE.value)
    full_check = full_checks.start(env.heron)
    read_one(full_check)  # the page

    read = [read_one(full_check).key for _ in links]

    assert read == [link.end_user.external_id for link in reversed(links)]


def test_link_without_our_id_of_its_customer_is_its_own_customer(env: Environment) -> None:
    body = {"institution": "erebor_mx_retail", "username": "1234567", "password": "pass_valid"}
    remote_id = env.call_belvo("POST", "/api/links/", body)["id"]

    completed_full_check(env.belvo)

    assert Link.objects.get().end_user.external_id == f"belvo:{remote_id}"


CUSTOMER_IDS = [
    "Acme & Sons/12 %",
    "12/34",
    "cust 7",
    "Ação Müller",
    "a%2Fb",
    "100%",
    "a?b#c",
    ".",
    "..",
    " outer ",
    "\u202eelpmaxe",
    "<b>",
    "x" * 140,
]


def test_any_id_that_heron_accepts_is_a_customer(env: Environment) -> None:
    env.heron_link(item_id="item-known")
    path = f"/api/integrations/{HERON_INTEGRATION}/links"
    for number, customer in enumerate(CUSTOMER_IDS):
        body = {"access_token": "access-1", "end_user_id": customer, "item_id": f"no-accounts-{number}"}
        env.call_heron("POST", path, body)
    env.clock.forward(60)

    done = completed_full_check(env.heron)

    assert (done.skipped, done.unread) == (0, 0)
    found = Link.objects.filter(remote_id__startswith="no-accounts").select_related("end_user")
    assert {link.remote_id.rpartition("-")[2]: link.end_user.external_id for link in found} == {
        str(number): customer for number, customer in enumerate(CUSTOMER_IDS)
    }
    for link in found:
        env.prove(link)
        page = env.open(link.get_absolute_url())
        assert (page.status, link.check_failed) == (200, "")
        assert escape(link.end_user.external_id) in page.source
        assert env.open(link.end_user.get_absolute_url()).status == 200


def test_customer_who_cannot_be_stored_is_named_with_the_reason(env: Environment) -> None:
    env.heron_link(item_id="item-known")
    path = f"/api/integrations/{HERON_INTEGRATION}/links"
    for number, customer in enumerate(["nul\0in it", "\0"]):
        body = {"access_token": "access-1", "end_user_id": customer, "item_id": f"item-odd-{number}"}
        env.call_heron("POST", path, body)

    done = completed_full_check(env.heron)

    assert done.skipped == 2
    page = env.open(done.get_absolute_url(), "adm")
    assert "2 records couldn't be used." in page.words
    assert page.words.count("characters we can't store") == 2
    assert "nulin it" in page.words


def test_link_that_an_operation_may_be_creating_is_left_to_it(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")
    customer, bank = link.end_user, link.institution
    Link.objects.all().delete()
    making = Operation.objects.create(
        kind=OperationKind.CREATE_LINK,
        state=State.UNKNOWN,
        integration=env.belvo,
        end_user=customer,
        institution=bank,
        actor=env.people["ana"],
        operation_key=link.pk,
    )

    assert completed_full_check(env.belvo).found == 0
    Operation.objects.filter(pk=making.pk).update(state=State.CONFIRMED_NOT_DONE)
    assert completed_full_check(env.belvo).found == 1


def test_link_that_we_removed_just_now_is_not_found_again(env: Environment) -> None:
    link = env.belvo_link()
    Link.objects.filter(pk=link.pk).update(disconnected_at=timezone.now())

    assert completed_full_check(env.belvo).found == 0


def test_missing_link_is_disconnected_by_a_second_read(env: Environment) -> None:
    gone, there = env.belvo_link("Gone"), env.belvo_link("There")
    env.simulator.store.remove_belvo_link(gone.remote_id)

    done = completed_full_check(env.belvo)

    gone.refresh_from_db()
    assert (done.missing, gone.health) == (1, HealthState.CUSTOMER_LOGIN.value)
    assert LinkRead.objects.get().reason == Reason.MISSING
    reads.work(env.belvo.pk)
    gone.refresh_from_db()
    there.refresh_from_db()
    assert (gone.health, there.health) == (HealthState.DISCONNECTED.value, HealthState.HEALTHY.value)


def test_link_of_a_customer_who_is_gone_is_missing(env: Environment) -> None:
    gone, there = env.heron_link("Gone", item_id="item-1"), env.heron_link("There", item_id="item-2")
    completed_full_check(env.heron)
    env.simulator.store.remove_end_user(gone.end_user.external_id)

    done = completed_full_check(env.heron)

    assert done.missing == 1
    assert list(Link.objects.filter(missing_since__isnull=False)) == [gone]
    assert there.missing_since is None


def test_link_with_an_open_operation_is_not_missing(env: Environment) -> None:
    link = env.belvo_link()
    env.simulator.store.remove_belvo_link(link.remote_id)
    Operation.objects.create(
        kind=OperationKind.REMOVE_LINK,
        state=State.SENDING,
        integration=env.belvo,
        end_user=link.end_user,
        link=link,
        actor=env.people["ana"],
        operation_key=link.pk,
    )

    assert completed_full_check(env.belvo).missing == 0


def test_list_without_most_links_fails_the_full_check(small_env: Environment) -> None:
    completed_full_check(small_env.belvo)
    strangers = [
        small_env.let_know(small_env.belvo, small_env.customer(), f"unheard-of-{n}", None, Cause.WORKING)
        for n in range(30)
    ]

    done = full_check(small_env.belvo)

    assert done.state == FullCheckState.FAILED
    assert "30 links are missing from the provider's list. That's too many to be plausible" in done.note
    assert not Link.objects.filter(missing_since__isnull=False).exists()
    assert {link.health for link in strangers} == {HealthState.HEALTHY.value}


def test_list_without_most_links_is_accepted_on_a_second_full_check(small_env: Environment) -> None:
    completed_full_check(small_env.belvo)
    for number in range(30):
        small_env.let_know(small_env.belvo, small_env.customer(), f"unheard-of-{number}", None, Cause.WORKING)
    full_check(small_env.belvo)

    done = full_check(small_env.belvo, started_by=small_env.people["adm"])

    assert (done.state, done.missing) == (FullCheckState.DONE, 30)
    assert LinkRead.objects.filter(reason=Reason.MISSING).count() == 30


def test_old_full_checks_are_deleted(env: Environment) -> None:
    old = completed_full_check(env.belvo)
    FullCheck.objects.filter(pk=old.pk).update(started_at=timezone.now() - timedelta(days=31))

    done = completed_full_check(env.belvo)

    assert list(env.belvo.full_checks.all()) == [done]
