"""One in a thousand links, in the sandbox. Data sets that are older than the column get them too."""

from django.db import connection, transaction

from benchmarks.sizes import Size
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Institution, Link

from .table import loading

SHARE = 1000
IS_OFFERED = any(field.name == "environment" for field in Link._meta.get_fields())
MOVE = """
UPDATE links_link SET integration_id = %s, institution_id = %s, environment = 'sandbox'
WHERE id IN (SELECT id FROM links_link ORDER BY id DESC LIMIT %s)
"""


def build(size: Size) -> None:
    sandbox = Integration.objects.create(
        provider="heron", name="Sandbox", environment="sandbox", base_url="https://app.herondata.io"
    )
    bank = Institution.objects.create(integration=sandbox, name="sandbox", display_name="Bank of the sandbox")
    with loading(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MOVE, [sandbox.pk.hex, bank.pk.hex, size.links // SHARE])
