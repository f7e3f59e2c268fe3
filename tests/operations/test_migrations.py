"""The migrations of operations, with rows that only the new ones know."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from linkadmin.operations.models import AttemptAllowance, Operation
from tests.house import House

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
