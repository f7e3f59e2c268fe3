"""The migration, backward and forward."""

import pytest
from django.db import IntegrityError, connection, transaction

from linkadmin.audit.log import record
from linkadmin.audit.models import Outcome
from linkadmin.audit.verify import verify
from linkadmin.web import probes
from tests.migrating import migrated_back

pytestmark = pytest.mark.database


@pytest.mark.django_db(transaction=True)
def test_a_recreated_log_starts_a_protected_chain() -> None:
    record(actor=None, action="link.seen", outcome=Outcome.DONE)

    with migrated_back("audit", None):
        pass

    assert record(actor=None, action="link.seen", outcome=Outcome.DONE) == 1
    assert verify().is_whole
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")


@pytest.mark.django_db(transaction=True)
def test_pages_are_served_only_with_all_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_migrated", False)

    with migrated_back("audit", "0001_initial"):
        assert not probes.can_serve()

    assert probes.can_serve()
