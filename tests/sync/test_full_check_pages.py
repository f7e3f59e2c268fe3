"""Pages of full checks: started, watched and stopped by administrators, visible to who may see integrations."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import LinkTotal
from linkadmin.sync import full_checks
from linkadmin.sync.models import CustomerFingerprint, FullCheck, FullCheckState
from tests.environment import Environment
from tests.follow import follow
from tests.sync.full_checking import completed_full_check, run_to_end

pytestmark = pytest.mark.django_db(transaction=True)


def listed(env: Environment) -> str:
    return f"/integrations/{env.belvo.pk}/full-checks/"


def test_administrator_starts_a_full_check_and_watches_it(env: Environment) -> None:
    env.belvo_link()

    answer = env.post(listed(env), name="adm")

    started = FullCheck.objects.get()
    page = env.open(answer.location, "adm")
    assert answer.location == started.get_absolute_url()
    assert "Running" in page.words
    assert "Read 0 of 1 page of the provider's list." in page.words
    assert "Stop" in page.words


def test_page_says_how_long_a_full_pass_takes_at_the_rate_limit(env: Environment) -> None:
    fingerprints = [
        CustomerFingerprint(integration=env.heron, end_user_id=f"cus-{number}", fingerprint=1) for number in range(900)
    ]
    CustomerFingerprint.objects.bulk_create(fingerprints)
    LinkTotal.objects.create(integration=env.belvo, state="healthy", links=1_000_000)

    # 1,000 pages, 72 in 30 s; 900 customers, 90 a minute.
    assert "A full check takes about 7 min at this rate limit." in env.open(listed(env), "adm").words
    of_heron = env.open(f"/integrations/{env.heron.pk}/full-checks/", "adm")
    assert (
        "Reading every customer's links would take about 10 min at this rate limit. A full check reads only"
        in of_heron.words
    )


def test_start_and_stop_are_audited(env: Environment) -> None:
    started = env.post(listed(env), name="adm")

    page = env.post(started.location, name="adm")

    words = env.open(page.location, "adm").words
    assert words.count("Full check stopped. Links it has already checked stay updated.") == 1
    events = AuditEvent.objects.filter(action__startswith="full_check.").order_by("seq")
    assert [each.action for each in events] == ["full_check.started", "full_check.stopped"]
    assert {each.actor for each in events} == {"adm"}
    assert {each.object_id for each in events} == {str(env.belvo.pk)}


def test_second_click_shows_the_running_full_check(env: Environment) -> None:
    first = env.post(listed(env), name="adm")

    second = env.post(listed(env), name="adm")

    assert first.location == second.location
    assert AuditEvent.objects.filter(action="full_check.started").count() == 1


def test_page_of_a_running_full_check_follows_until_it_ends(env: Environment) -> None:
    started = full_checks.start(env.belvo)
    running = follow(env.open(started.get_absolute_url(), "adm"))

    run_to_end(started)
    changed = running.poll(env.client("adm"))
    page = env.open(started.get_absolute_url(), "adm")

    assert (running.seconds, changed.status_code, follow(page).seconds) == ("2", 200, "0")
    assert "Done" in page.words
    assert "Stop" not in page.words


def test_finished_full_check_shows_its_result(env: Environment) -> None:
    env.belvo_link("Gone")
    env.belvo_link()
    env.simulator.store.remove_belvo_link(env.belvo.links.get(end_user__name="Gone").remote_id)
    done = completed_full_check(env.belvo)

    words = env.open(done.get_absolute_url(), "aud").words

    assert "Links checked 1" in words
    assert "Not listed 1 checked again one by one" in words
    assert "Started by schedule" in words


def test_failed_full_check_says_why_and_what_was_skipped(env: Environment) -> None:
    FullCheck.objects.create(
        integration=env.heron, state=FullCheckState.FAILED, note="No usable response.", skipped=1, unread=3
    )

    page = env.open(f"/integrations/{env.heron.pk}/full-checks/", "mia")
    words = env.open(FullCheck.objects.get().get_absolute_url(), "mia").words

    assert "Failed No usable response." in page.words
    assert "One record couldn't be used. It's listed below." in words
    assert "The links of 3 customers couldn't be read, so they keep their current status." in words


def test_list_goes_back_page_by_page(env: Environment) -> None:
    now = timezone.now()
    FullCheck.objects.bulk_create(
        FullCheck(
            integration=env.belvo,
            state=FullCheckState.DONE,
            started_at=now - timedelta(minutes=n),
            finished_at=now,
            seen=n,
        )
        for n in range(60)
    )

    first = env.open(listed(env), "mia")
    (onward,) = [href for href in first.links() if "after=" in href]
    second = env.open(listed(env) + onward, "mia")

    assert "Previous" in second.words
    assert (first.words.count("by schedule"), second.words.count("by schedule")) == (50, 10)


def test_manager_sees_full_checks_but_cannot_start_one(env: Environment) -> None:
    page = env.open(listed(env), "mia")

    assert "No full checks yet" in page.words
    assert "Run full check" not in page.words
    assert env.post(listed(env), name="mia").status == 403


def test_integration_s_page_leads_to_its_full_checks(env: Environment) -> None:
    assert listed(env) in env.open(env.belvo.get_absolute_url(), "adm").links()


def test_finished_full_check_cannot_be_stopped(env: Environment) -> None:
    done = completed_full_check(env.belvo)

    page = env.post(done.get_absolute_url(), name="adm")

    assert "The full check had already finished." in env.open(page.location, "adm").words
    assert not AuditEvent.objects.filter(action="full_check.stopped").exists()
