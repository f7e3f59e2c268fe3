"""The migration that marks integrations as sandbox or production."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from linkadmin.integrations.models import Integration
from tests.migrating import migrated_back

pytestmark = [pytest.mark.database, pytest.mark.deep]

INSERT = """
INSERT INTO integrations_integration
    (id, provider, name, base_url, options, is_active, key_state, test_detail, created_at)
VALUES (%s, %s, %s, %s, '{}', %s, 'valid', '', %s)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("shown", "expected"),
    [("production", "production"), ("Production", "production"), ("sandbox", "sandbox"), ("Rehearsal", "sandbox")],
)
def test_integrations_are_marked_by_base_url_or_else_as_pages_were(
    settings: Settings, shown: str, expected: str
) -> None:
    settings.ENVIRONMENT = shown
    hosts = {"Live": "api.belvo.com", "Trial": "sandbox.belvo.com", "Development": "development.belvo.com"}
    with migrated_back("integrations", "0003_recent_calls"), connection.cursor() as cursor:
        for name, host in {**hosts, "Heron": "app.herondata.io"}.items():
            key = uuid.uuid4() if connection.vendor == "postgresql" else uuid.uuid4().hex
            cursor.execute(INSERT, [key, "belvo", name, f"https://{host}", True, timezone.now()])

    assert dict(Integration.objects.values_list("name", "environment")) == {
        "Live": "production",
        "Trial": "sandbox",
        "Development": "sandbox",
        "Heron": expected,
    }
