"""The migrations of operations, with rows that only the new ones know."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from linkadmin.operations.models import AttemptAllowance, Operation, PendingChallenge, RepairUrl
from tests.house import House

from .desk import act, url_of

pytestmark = pytest.mark.database


def migrate_to(name: str) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("operations", name)] if name else executor.loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
def test_going_back_keeps_what_was_allowed_on_a_link(house: House) -> None:
    link = house.belvo_link()
    house.send(f"/links/{link.pk}/credentials/", password="login_error")
    operation, mia = Operation.objects.get(), house.people["mia"]
    AttemptAllowance.objects.create(operation=operation, allowed_by=mia, reason="The customer is sure now.")
    AttemptAllowance.objects.create(link=link, allowed_by=mia, reason="The customer is sure now.")

    migrate_to("0002_further_changes")
    migrate_to("")

    assert [each.link for each in AttemptAllowance.objects.all()] == [link]
    assert Operation.objects.get() == operation


@pytest.mark.django_db(transaction=True)
def test_going_back_forgets_what_a_bank_shows_and_the_code_is_still_taken(house: House) -> None:
    link, other = house.belvo_link(), house.belvo_link("Blue Fern")
    act(house, link, "credentials", password="mfa_numeric")
    act(house, other, "repair-address", locale="pt")

    migrate_to("0005_states_without_claims")
    migrate_to("")

    step = house.open(url_of(link, "token"))
    given = house.send(url_of(link, "token"), token="111111")
    assert "This challenge is no longer available" in step.words
    assert given.location == link.get_absolute_url()
    assert not PendingChallenge.objects.exists()
    assert not RepairUrl.objects.exists()
    assert "no longer available" in house.open(house.last_operation(other).get_absolute_url()).words
