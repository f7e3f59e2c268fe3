"""Which records of a page differ from what we have: one statement for a whole page, which returns only those."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link

# A read that started earlier may end later: the row must show that this one is newer.
_SAME = """
    link.fingerprint = record.fingerprint AND link.verifying_since IS NULL AND link.missing_since IS NULL
    AND (link.checking_since IS NULL OR link.checking_since > %s)
"""
# One text instead of a thousand parameters. PostgreSQL also expects few rows from it, and so reads them by index.
_RECORDS = {
    "postgresql": "SELECT key AS remote_id, value::bigint AS fingerprint FROM json_each_text(%s)",
    "sqlite": "SELECT key AS remote_id, value AS fingerprint FROM json_each(%s)",
}
_DIFFERENT = """
    SELECT record.remote_id, link.id IS NULL FROM ({records}) AS record
    LEFT JOIN {links} AS link
        ON link.integration_id = %s AND link.remote_id = record.remote_id AND link.disconnected_at IS NULL
    WHERE link.id IS NULL OR ({same}) IS NOT TRUE
"""


@dataclass(frozen=True, slots=True)
class Differences:
    """The IDs of records that differ from our link, and of those that we have no link for."""

    changed: frozenset[str]
    unknown: frozenset[str]


def compare(integration: Integration, fingerprints: Mapping[str, int], *, at: datetime) -> Differences:
    """`fingerprints` are by ID at the provider; `at` is when the records were requested."""
    sql = _DIFFERENT.format(records=_RECORDS[connection.vendor], links=Link._meta.db_table, same=_SAME)
    moment = connection.ops.adapt_datetimefield_value(at)
    key = Integration._meta.pk.get_db_prep_value(integration.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(fingerprints), key, moment])
        rows = cursor.fetchall()
    return Differences(
        frozenset(remote_id for remote_id, is_unknown in rows if not is_unknown),
        frozenset(remote_id for remote_id, is_unknown in rows if is_unknown),
    )
