"""The migration, backward and forward."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from linkadmin.audit.log import record
from linkadmin.audit.models import Outcome
from linkadmin.audit.verify import verify

pytestmark = pytest.mark.database


def migrate_to(*targets: tuple[str, str | None]) -> None:
    MigrationExecutor(connection).migrate(targets)


@pytest.mark.django_db(transaction=True)
def test_a_recreated_log_starts_a_protected_chain() -> None:
    record(actor=None, action="link.seen", outcome=Outcome.DONE)

    migrate_to(("audit", None))
    migrate_to(("audit", "0001_initial"))

    assert record(actor=None, action="link.seen", outcome=Outcome.DONE) == 1
    assert verify().is_whole
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
