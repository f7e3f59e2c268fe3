"""Auditors see a masked name once, for a reason that is recorded."""

from http import HTTPStatus

import pytest

from linkadmin.audit.models import AuditEvent
from tests.environment import Environment

pytestmark = pytest.mark.django_db

NAME = "Acme Corp"


def test_name_is_shown_in_one_response_and_recorded_with_its_reason(env: Environment) -> None:
    customer = env.belvo_link(NAME).end_user
    url = f"/customers/{customer.pk}/name/"

    asked = env.open(url, "aud")
    shown = env.post(url, {"reason": "misuse"}, "aud")

    event = AuditEvent.objects.get(action="end_user.name_shown")
    assert (event.actor, event.object_id, event.details) == ("aud", str(customer.pk), {"reason": "misuse"})
    assert NAME not in asked.source
    assert NAME in shown.words
    assert shown.headers["cache-control"].find("no-store") >= 0
    for path in (url, customer.get_absolute_url(), "/customers/"):
        assert NAME not in env.open(path, "aud").source


@pytest.mark.parametrize("reason", ["", "because"])
def test_no_name_without_a_reason(env: Environment, reason: str) -> None:
    customer = env.belvo_link(NAME).end_user

    page = env.post(f"/customers/{customer.pk}/name/", {"reason": reason}, "aud")

    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert page.error_at("reason")
    assert NAME not in page.source
    assert not AuditEvent.objects.filter(action="end_user.name_shown").exists()


def test_pages_of_link_and_customer_offer_it_to_auditors_only(env: Environment) -> None:
    link = env.belvo_link(NAME)
    url = f"/customers/{link.end_user_id}/name/"

    for path in (link.get_absolute_url(), link.end_user.get_absolute_url()):
        assert [url in env.open(path, name).links() for name in ("aud", "ana", "mia")] == [True, False, False]
