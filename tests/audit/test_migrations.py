"""The migrations, with events in the table."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from linkadmin.audit.log import record
from linkadmin.audit.models import Outcome
from linkadmin.audit.verify import verify

pytestmark = pytest.mark.database


def migrate_to(name: str) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("audit", name)] if name else executor.loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
def test_going_back_and_forward_keeps_the_chain_and_its_protection() -> None:
    record(actor=None, action="link.seen", outcome=Outcome.DONE)

    migrate_to("0001_initial")
    migrate_to("")

    assert record(actor=None, action="link.seen", outcome=Outcome.DONE).seq == 2
    assert verify().is_whole
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
