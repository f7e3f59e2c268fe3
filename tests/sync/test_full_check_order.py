"""In whatever order answers arrive, of pages and single reads, a link has the newest state."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.models import EndUser, Link
from linkadmin.providers.records import RemotePage
from linkadmin.providers.types import Cause, Observation, RemoteLink
from linkadmin.sync.full_checks import lifecycle, lists
from linkadmin.sync.models import FullCheck, FullCheckState

pytestmark = pytest.mark.django_db

WORDS = {"valid": Cause.WORKING, "invalid": Cause.LOGIN_REFUSED, "token_required": Cause.CODE_NEEDED}
Answer = Callable[[], None]
Steps = list[tuple[str, object]]
PAGE, READ, FIRST = ("page", None), ("read", None), ("answer", 0)


@dataclass
class Story:
    """A link that changes at its provider, and readers that get their answers late."""

    link: Link
    full_check: FullCheck
    now: datetime = field(default_factory=timezone.now)
    word: str = "valid"
    waiting: list[tuple[datetime, str, Answer]] = field(default_factory=list)
    newest: tuple[datetime, str] | None = None
    is_reading: bool = False
    pages: int = 0

    @property
    def record(self) -> RemoteLink:
        return RemoteLink(self.link.remote_id, Observation(WORDS[self.word], raw_status=self.word))

    def change(self, word: str) -> None:
        self.word = word

    def ask_for_a_page(self) -> None:
        self.pages += 1
        lifecycle.add_pages(self.full_check, [self.pages])
        (part,) = lifecycle.claim_parts(self.full_check.pk, limit=1)
        at, record = self.now, self.record

        def answer() -> None:
            page = RemotePage((record,), number=self.pages, is_last=True, total=1)
            lists.take_page(part, self.link.integration, page, at)

        self.waiting.append((at, self.word, answer))

    def ask_for_the_link(self) -> None:
        if self.is_reading:  # no link is read by two at once
            return
        self.is_reading = True
        at, record = self.now, self.record
        health.start_check([self.link.pk], at=at)

        def answer() -> None:
            self.is_reading = False
            link, source = Link.objects.get(pk=self.link.pk), health.Source.LIST
            health.observe_remote(link, record, source=source, at=at, fingerprint=health.fingerprint_of(record))

        self.waiting.append((at, self.word, answer))

    def let_one_answer(self, which: int) -> None:
        """Let one of those who wait get their answer, and hold the link against the newest one so far."""
        if not self.waiting:
            return
        at, word, answer = self.waiting.pop(which % len(self.waiting))
        answer()
        self.newest = max(filter(None, [self.newest, (at, word)]))
        self.link.refresh_from_db()
        assert self.link.raw_status == self.newest[1]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.sampled_from(sorted(WORDS))),
        st.tuples(st.just("page"), st.none()),
        st.tuples(st.just("read"), st.none()),
        st.tuples(st.just("answer"), st.integers(0, 5)),
    ),
    min_size=4,
    max_size=25,
)


def begin() -> Story:
    FullCheck.objects.filter(state=FullCheckState.RUNNING).update(state=FullCheckState.STOPPED)
    integration, _made = Integration.objects.get_or_create(provider="belvo", name="Belvo", base_url="https://x.example")
    customer, _made = EndUser.objects.get_or_create(external_id="cus-1")
    link = Link(integration=integration, end_user=customer, remote_id=str(uuid.uuid4()))
    seen = Observation(Cause.WORKING, raw_status="valid")
    report = health.Report(seen, health.Source.LIST, timezone.now() - timedelta(days=1))
    health.start_link(RemoteLink(link.remote_id, seen), link, report)
    return Story(link, FullCheck.objects.create(integration=integration))


def play(steps: Steps) -> None:
    story = begin()
    acts = {"page": story.ask_for_a_page, "read": story.ask_for_the_link}
    for name, value in steps:
        story.now += timedelta(seconds=1)
        if name == "change":
            story.change(str(value))
        elif name == "answer":
            story.let_one_answer(int(str(value)))
        else:
            acts[name]()
    while story.waiting:
        story.let_one_answer(0)
    story.now += timedelta(seconds=1)
    story.ask_for_a_page()
    story.let_one_answer(0)


@settings(max_examples=8, deadline=None)
@example(steps=[("change", "invalid"), PAGE, ("change", "token_required"), READ, ("change", "invalid"), ("answer", 1)])
@example(steps=[PAGE, FIRST, ("change", "invalid"), PAGE, ("change", "valid"), PAGE, ("answer", 1), FIRST])
@example(steps=[PAGE, FIRST, ("change", "invalid"), READ, ("change", "valid"), PAGE, ("answer", 1), FIRST])
@given(steps=STEPS)
def test_older_report_never_replaces_a_newer_one(steps: Steps) -> None:
    play(steps)


@pytest.mark.thorough
@settings(max_examples=1500, deadline=None)
@given(steps=STEPS)
def test_older_report_never_replaces_a_newer_one_in_a_thousand_orders(steps: Steps) -> None:
    play(steps)
