"""No page says that something is being read, or will be, while nothing runs in the background."""

import re
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.operations.models import ACCEPTED, Operation
from linkadmin.webhooks.models import DeliveryOutcome, DeliveryState, WebhookDelivery
from tests.background import kill, run
from tests.browser import tour
from tests.environment import Environment
from tests.markup import read

pytestmark = [
    pytest.mark.deep,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("started_long_ago", "at_once"),
]

CLAIMS = {
    "Outcome unknown, checking",
    "We're checking the provider's records to find out what happened.",
    "Accepted, checking until it's gone",
    "We'll keep checking its records until the link is gone.",
    "We're checking that the link works.",
    "will be checked now.",
    "Running",
    "Processing",
    "We'll retry automatically.",
    "We'll check the status of their links again.",
    "We'll try them again at",
    "Rejected: we'll try again at",
}
LIKE_A_CLAIM = re.compile(
    r"(?<!not )\bcheck(?:ing|ed now)|(?<!not )being (?:read|checked)|\bwe (?:read|try|check|fetch)\b"
    r"|\bwe['’]ll (?!reject|add|find out|tell you)|\bread now"
    r"|\b(?:is|are|being|will be) (?:read|checked|tried) (?:again|anew|by itself|until|soon)",
    re.IGNORECASE,
)
REPROCESSED = "check the status of its links again."
WAITING = "Waiting for background processing to restart. Last active:"


def drawn(env: Environment, pages: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the full text of each page."""
    return {(name, url): everything(env, name, url) for name, url in pages}


def everything(env: Environment, name: str, url: str) -> str:
    page = read(env.client(name).get(url, follow=True))
    return " ".join(re.sub(r"<[^>]*>", " ", page.source).replace("&#x27;", "'").split())


def check(env: Environment, pages: list[tuple[str, str]], claims: set[str]) -> dict[tuple[str, str], str]:
    """Check that pages make these claims while workers run, and none like them while nothing does."""
    run()
    alive = drawn(env, pages)
    assert {claim for claim in claims if not any(claim in page for page in alive.values())} == set()
    assert not any(WAITING in page for page in alive.values())

    kill()
    dead = drawn(env, pages)
    made = {(claim, url) for (_name, url), page in dead.items() for claim in claims if claim in page}
    assert made == set()
    like = {(found[0], url) for (_name, url), page in dead.items() for found in LIKE_A_CLAIM.finditer(page)}
    assert like == set()
    return dead


def test_no_page_claims_work_while_nothing_runs(env: Environment) -> None:
    pages = [(name, url) for name, url in tour.pages(env) if name]
    lost, gone = env.belvo_link("Lost"), env.belvo_link("Gone")
    env.send(f"{lost.get_absolute_url()}credentials/", password="lost_before")
    env.send(f"{gone.get_absolute_url()}credentials/", password="lost_before")
    Operation.objects.filter(link=gone).update(outcome=ACCEPTED)
    pages += [("ana", link.get_absolute_url()) for link in (lost, gone)]
    pages += [("ana", env.last_operation(link).get_absolute_url()) for link in (lost, gone)]
    for number, (state, outcome) in enumerate(
        [(DeliveryState.PROCESSING, ""), (DeliveryState.DONE, "waiting_to_retry")]
    ):
        message = WebhookDelivery.objects.create(
            integration=env.belvo, key=f"of the test {number}", topic="links", state=state, outcome=outcome
        )
        pages.append(("ana", message.get_absolute_url()))
    Integration.objects.filter(pk=env.heron.pk).update(
        key_state=Integration.KeyState.REJECTED, keys_retry_at=timezone.now() + timedelta(hours=2)
    )

    dead = check(env, pages, CLAIMS)

    assert sum(WAITING in page for page in dead.values()) > len(CLAIMS) / 2


def test_no_page_of_an_empty_database_claims_work(env: Environment) -> None:
    env.belvo.institutions.all().delete()

    pages = [("ana", "/institutions/"), ("ana", f"/links/new/?integration={env.belvo.pk}")]

    check(env, pages, {"It will be here within a minute.", "We fetch each provider's institution list once a day."})


def test_no_message_after_a_button_claims_work(env: Environment) -> None:
    message = WebhookDelivery.objects.create(
        integration=env.belvo, key="1", topic="links", state=DeliveryState.DONE, outcome=DeliveryOutcome.NO_CHANGE
    )
    run()
    alive = reprocessed(env, message)
    kill()

    assert REPROCESSED in alive
    assert REPROCESSED not in reprocessed(env, message)


def reprocessed(env: Environment, message: WebhookDelivery) -> str:
    WebhookDelivery.objects.update(state=DeliveryState.DONE)
    return read(env.client().post(f"{message.get_absolute_url()}reprocess/", follow=True)).source
