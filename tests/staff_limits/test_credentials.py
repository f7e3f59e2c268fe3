"""How many credentials and codes one person sends to banks in an hour."""

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.operations.models import Operation
from tests.environment import HTMX, Environment

from .conftest import Limits

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_credentials_stop_at_the_limit_and_the_form_keeps_its_place(env: Environment, limits: Limits) -> None:
    limits(credentials=(1, 2))
    links = [env.belvo_link(f"Customer {number}") for number in range(4)]

    sent = [env.send(f"{link.get_absolute_url()}credentials/", password="pass_valid") for link in links]

    assert [page.status for page in sent] == [303, 303, 429, 429]
    assert "You've sent as many credentials and codes as one person can in an hour: 2." in sent[2].words
    assert "Nothing was sent." in sent[2].words
    assert "password" in sent[2].inputs()
    assert len(env.calls("PUT", "/api/links/")) == 2
    assert Operation.objects.count() == 2
    noted = AuditEvent.objects.filter(action__startswith="staff.limit").order_by("seq")
    assert [(each.action, each.details["counted"]) for each in noted] == [
        ("staff.limit_warned", 1),
        ("staff.limit_reached", 2),
    ]
    others = env.send(f"{links[3].get_absolute_url()}credentials/", "ben", password="pass_valid")
    assert others.status == 303


def test_the_same_form_again_counts_once(env: Environment, limits: Limits) -> None:
    limits(credentials=(1, 1))
    url = f"{env.belvo_link().get_absolute_url()}credentials/"
    form = env.open(url).form_with("password")

    sent = [env.client().post(url, form.values | {"password": "pass_valid"}, headers=HTMX) for _ in range(3)]

    assert [answer.status_code for answer in sent] == [200, 200, 200]
    assert len(env.calls("PUT", "/api/links/")) == 1


def test_what_we_do_not_send_does_not_count(env: Environment, limits: Limits) -> None:
    limits(credentials=(1, 1))
    link = env.belvo_link()
    url = f"{link.get_absolute_url()}credentials/"
    form = env.open(url).form_with("password")
    env.belvo.is_active = False
    env.belvo.save()
    assert env.client().post(url, form.values | {"password": "pass_valid"}).status_code == 409
    env.belvo.is_active = True
    env.belvo.save()

    assert env.send(url, password="pass_valid").status == 303
