"""Provider values that our tables lack: counted once per change, listed on a page, never guessed."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from linkadmin.links import health, unrecognized_values
from linkadmin.links.models import Link, UnrecognizedValue
from linkadmin.providers.types import Cause, Observation
from tests.environment import Environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def say(link: Link, seen: Observation, *, at: datetime | None = None) -> None:
    health.observe(link, health.Report(seen, health.Source.LIST, at or timezone.now()))


def counted() -> list[tuple[str, str, int]]:
    return list(UnrecognizedValue.objects.order_by("pk").values_list("place", "value", "seen"))


@pytest.mark.parametrize(
    ("seen", "place", "value"),
    [
        (Observation(Cause.UNRECOGNIZED, raw_status="migrating"), "status", "migrating"),
        (Observation(Cause.UNRECOGNIZED, raw_code="brand_new"), "code", "brand_new"),
        (Observation(Cause.UNRECOGNIZED, raw_words="Something new"), "words", "Something new"),
        (Observation(Cause.ERROR_UNRECOGNIZED, "erroring", "NEW_CODE", "[NEW_CODE] x"), "code", "NEW_CODE"),
        (Observation(Cause.ERROR_UNNAMED, "erroring", raw_words="sync failed"), "words", "sync failed"),
        (Observation(Cause.LOGIN_UNCLEAR, "", "login_error", "Odd trouble"), "words", "Odd trouble"),
        (Observation(Cause.SOURCE_UNKNOWN, "unknown"), "status", "unknown"),
        (Observation(Cause.UNRECOGNIZED, "active", "brand_new", "New words"), "code", "brand_new"),
        (Observation(Cause.UNRECOGNIZED, "active", raw_words="New words"), "words", "New words"),
    ],
)
def test_value_is_counted_with_its_field(env: Environment, seen: Observation, place: str, value: str) -> None:
    say(env.heron_link(), seen)

    assert counted() == [(place, value, 1)]


def test_recognized_value_is_not_counted(env: Environment) -> None:
    say(env.heron_link(), Observation(Cause.LOGIN_REQUIRED, "erroring", "ITEM_LOGIN_REQUIRED", "[ITEM_…] changed"))

    assert counted() == []


def test_value_counts_once_per_change_and_not_per_read(env: Environment) -> None:
    link, now = env.heron_link(), timezone.now()
    odd, fine = Observation(Cause.UNRECOGNIZED, "migrating"), Observation(Cause.WORKING, "active")

    for minute, seen in enumerate([odd, odd, odd, fine, odd]):
        say(link, seen, at=now + timedelta(minutes=minute))

    known = UnrecognizedValue.objects.get()
    assert (known.seen, known.first_at, known.last_at) == (2, now, now + timedelta(minutes=4))
    assert known.last_link == link


def test_late_report_counts_nothing(env: Environment) -> None:
    link, now = env.heron_link(), timezone.now()
    say(link, Observation(Cause.WORKING, "active"), at=now)

    say(link, Observation(Cause.UNRECOGNIZED, "migrating"), at=now - timedelta(hours=1))

    assert counted() == []


def test_withheld_message_is_no_value(env: Environment) -> None:
    say(env.heron_link(), Observation(Cause.ERROR_UNNAMED, "erroring", raw_words="withheld"))

    assert counted() == []


def test_ever_changing_values_do_not_fill_the_table(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrecognized_values, "MOST_PER_PLACE", 3)
    link, now = env.heron_link(), timezone.now()

    for number in range(6):
        seen = Observation(Cause.ERROR_UNNAMED, "erroring", raw_words=f"failure {number}")
        say(link, seen, at=now + timedelta(minutes=number))
    say(link, Observation(Cause.ERROR_UNNAMED, raw_words="failure 0"), at=now + timedelta(hours=1))

    assert counted() == [("words", "failure 0", 2), ("words", "failure 1", 1), ("words", "failure 2", 1)]


def test_rejection_of_a_new_link_is_counted_too(env: Environment) -> None:
    customer = env.customer()
    env.simulator.fail("POST", "/api/links/", "heron_message")  # an error without a code
    typed = {"username": "anybody", "password": "pass_valid", "end_user_id": customer.external_id}

    env.send(env.new_link_url("erebor_mx_retail"), **typed)

    assert [(place, seen) for place, _value, seen in counted()] == [("words", 1)]
    assert UnrecognizedValue.objects.get().provider == "belvo"


def test_page_lists_values_with_their_links(env: Environment) -> None:
    odd, fine = env.heron_link("Acme", item_id="item-1"), env.heron_link("Blue", item_id="item-2")
    say(odd, Observation(Cause.UNRECOGNIZED, "migrating"))
    known = UnrecognizedValue.objects.get()

    page = env.open("/unrecognized-values/")
    listed = env.open(f"/links/?unknown={known.pk}")

    assert "migrating Heron Link status 1 1" in page.words
    assert f"/links/?unknown={known.pk}" in page.links()
    assert odd.get_absolute_url() in listed.links()
    assert fine.get_absolute_url() not in listed.links()
    assert "Unrecognized value: migrating" in listed.words


def test_value_without_links_stays_with_its_count(env: Environment) -> None:
    link, now = env.heron_link(), timezone.now()
    say(link, Observation(Cause.UNRECOGNIZED, "migrating"), at=now)
    say(link, Observation(Cause.WORKING, "active"), at=now + timedelta(minutes=1))

    assert "migrating Heron Link status 1 0" in env.open("/unrecognized-values/").words


def test_value_can_be_copied_for_a_report(env: Environment) -> None:
    say(env.heron_link(), Observation(Cause.UNRECOGNIZED, "migrating"))

    copied = [
        each.attrs["data-copy"] for each in env.open("/unrecognized-values/").elements if "data-copy" in each.attrs
    ]

    assert copied[0].startswith("Heron · Link status: migrating (1×, ")


def test_value_is_always_drawn_as_text(env: Environment) -> None:
    say(env.heron_link(), Observation(Cause.UNRECOGNIZED, "<img src=x hx-get=/admin/>"))

    page = env.open("/unrecognized-values/")

    assert "<img src=x" not in page.source
    assert "&lt;img src=x" in page.source


def test_empty_page_says_that_all_values_are_recognized(env: Environment) -> None:
    assert "No unrecognized values" in env.open("/unrecognized-values/", "adm").words


def test_every_page_leads_to_them(env: Environment) -> None:
    assert "/unrecognized-values/" in env.open("/").links()
