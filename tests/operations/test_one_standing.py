"""A link has one status: the list, its own page and every page beside it say the same."""

import html
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from django.test import override_settings
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, PendingChallenge
from linkadmin.providers.types import Cause
from tests.environment import Environment

from .helpers import delete

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

BESIDE = re.compile(
    r'<span class="state tone-\w+">(?P<state>.*?)</span>\s*(?:<span class="state__reason">(?P<reason>.*?)</span>)?'
    r'(?:<span class="state__mark">.*?</span>)?(?:\s*</td><td class="table__since">)?'
    r'\s*<time(?: class="state__since")?\s+datetime="(?P<since>.*?)"',
    re.DOTALL,
)
HEAD = re.compile(
    r'<p class="verdict__state[^>]*>(?P<state>.*?)</p>.*?<p class="verdict__since">[^<]*'
    r'<time\s+datetime="(?P<since>.*?)".*?<span class="verdict__reason">(?P<reason>.*?)</span>',
    re.DOTALL,
)


class Said(NamedTuple):
    state: str
    reason: str
    since: str


def said(source: str, pattern: re.Pattern[str] = BESIDE) -> Said:
    found = pattern.search(source)
    assert found, source[:3000]
    return Said(*(plain(found[name] or "") for name in ("state", "reason", "since")))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", text))).strip()


def pages_of(env: Environment, link: Link) -> dict[str, Said]:
    """The status of a link on each page."""
    link.refresh_from_db()
    row = re.search(rf'<tr[^>]*>(?:(?!</tr>).)*?{link.get_absolute_url()}".*?</tr>', env.open("/links/").source, re.S)
    assert row
    found = {"head": said(env.open(link.get_absolute_url()).source, HEAD), "row": said(row[0])}
    last = Operation.objects.latest_of(link)
    beside = {
        "credentials": f"/links/{link.pk}/credentials/",
        "code": f"/links/{link.pk}/code/",
        "settings": "" if link.is_disconnected else f"/links/{link.pk}/settings/",
        "operation": last.get_absolute_url() if last else "",
        "customer": link.end_user.get_absolute_url(),
    }
    for name, url in beside.items():
        page = env.open(url) if url else None
        if page and 'id="link-verdict"' not in page.source:  # a step that does not apply redirects to the link
            found[name] = said(page.source)
    return found


def send(env: Environment, link: Link, password: str) -> Link:
    env.send(f"/links/{link.pk}/credentials/", password=password)
    return link


def open_code_step(env: Environment) -> Link:
    return send(env, env.belvo_link(), "pass_mfa")


def wrong_code(env: Environment) -> Link:
    link = open_code_step(env)
    env.send(f"/links/{link.pk}/code/", code="000000")
    return link


def expired_code(env: Environment) -> Link:
    link = open_code_step(env)
    PendingChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    tasks.close_overdue()
    return link


def no_attempt_left(env: Environment) -> Link:
    return send(env, send(env, env.belvo_link(), "pass_invalid"), "pass_invalid")


def unknown_outcome(env: Environment) -> Link:
    with override_settings(OPERATION_ANSWER_SECONDS=5):
        return send(env, env.belvo_link(), "lost_before")


def being_removed(env: Environment) -> Link:
    link = env.belvo_link(cause=Cause.WORKING)
    delete(env, link)
    return link


def missed_code_step(env: Environment) -> Link:
    """The provider's list says less than we know: that a code is pending."""
    link = open_code_step(env)
    env.simulator.store.belvo_links[link.remote_id].status = "unconfirmed"
    env.prove(link)
    return link


SITUATIONS: Mapping[str, Callable[[Environment], Link]] = {
    "open code step": open_code_step,
    "code step that a list knows less of": missed_code_step,
    "wrong code": wrong_code,
    "expired code": expired_code,
    "rejected": lambda env: send(env, env.belvo_link(), "pass_invalid"),
    "no attempt left": no_attempt_left,
    "locked account": lambda env: send(env, env.belvo_link(), "account_locked"),
    "being proven": lambda env: send(env, env.belvo_link(), "pass_valid"),
    "unknown outcome": unknown_outcome,
    "working": lambda env: env.belvo_link(cause=Cause.WORKING),
    "bank down": lambda env: env.belvo_link(cause=Cause.BANK_DOWN),
    "not understood": lambda env: env.belvo_link(cause=Cause.UNRECOGNIZED),
    "consent": lambda env: env.belvo_link(cause=Cause.PORTAL_CONSENT_EXPIRED, bank="ofmockbank_br_retail"),
    "old data": lambda env: env.belvo_link(cause=Cause.STALE),
    "ended": lambda env: env.belvo_link(cause=Cause.GONE),
    "removed": being_removed,
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_all_pages_show_the_same_status(env: Environment, situation: str) -> None:
    link = SITUATIONS[situation](env)

    pages = pages_of(env, link)

    assert set(pages.values()) == {pages["head"]}, pages
    assert len(pages) >= 4


def test_colleagues_see_the_same(env: Environment) -> None:
    link = open_code_step(env)

    seen = {said(env.open(link.get_absolute_url(), name).source, HEAD) for name in ("ana", "ben", "mia", "aud")}

    assert len(seen) == 1


def test_lost_response_waits_on_nobody_until_a_decision(env: Environment) -> None:
    link = unknown_outcome(env)

    assert "Outcome unknown, checking Update credentials" in env.open("/links/").words
    assert "Sign-in needed" not in env.open(link.get_absolute_url()).words.split("Timeline")[0]


@pytest.mark.parametrize("is_noted", [False, True])
def test_expired_code_dates_from_its_expiry(env: Environment, *, is_noted: bool) -> None:
    link = env.belvo_link(cause=Cause.CODE_NEEDED)
    Link.objects.update(health_since=timezone.now() - timedelta(days=8))
    send(env, link, "pass_mfa")
    ran_out = timezone.now()
    PendingChallenge.objects.update(received_at=ran_out - timedelta(minutes=12), expires_at=ran_out)
    if is_noted:
        tasks.close_overdue()

    for page, shown in pages_of(env, link).items():
        since = datetime.fromisoformat(shown.since)
        assert (page, shown.reason) == (page, "Code expired")
        assert abs(since - ran_out) < timedelta(minutes=1), page
