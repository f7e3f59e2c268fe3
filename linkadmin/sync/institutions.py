"""The institution list: read from the provider once a day, stored with the fields each bank asks for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from linkadmin.integrations import connections
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Institution
from linkadmin.providers.base import Provider
from linkadmin.providers.records import Filters, LeftOut, RemotePage
from linkadmin.providers.types import Capability, RemoteInstitution

from .models import SkippedRecord, note_skipped

READ_EVERY = timedelta(hours=24)
COLUMNS = (
    "remote_id",
    "display_name",
    "search",
    "kind",
    "country",
    "status",
    "integration_type",
    "logo_url",
    "website",
    "features",
    "resources",
    "form_fields",
    "read_at",
)


def due(*, now: datetime) -> "QuerySet[Integration]":
    old = Q(institutions_read_at=None) | Q(institutions_read_at__lt=now - READ_EVERY)
    return Integration.objects.askable(now=now).that_can(Capability.INSTITUTIONS).filter(old)


def read_institutions(integration: Integration) -> int:
    """Read and store the whole list; return its length. Raises `ProviderError`."""
    return read_institution_list(integration, connections.client_for(integration))


def read_institution_list(integration: Integration, provider: Provider) -> int:
    """Read and store the whole list with a given client; return its length. Raises `ProviderError`.

    Unlisted institutions stay, with their links; their `read_at` is older than the list's.
    """
    now, odd = timezone.now(), list[LeftOut]()
    remote = list(provider.list_institutions(odd))
    with transaction.atomic():
        count = _store(integration, remote, now)
        integration.left_out.filter(kind=SkippedRecord.Kind.INSTITUTION).delete()
        note_skipped(integration, SkippedRecord.Kind.INSTITUTION, odd)
        Integration.objects.filter(pk=integration.pk).update(institutions_read_at=now)
    return count


def read_one(institution: Institution, provider: Provider) -> str:
    """Read and store one institution; return its status. Raises `ProviderError`."""
    remote = provider.read_institution(institution.remote_id)
    _store(institution.integration, [remote], timezone.now())
    return remote.status


def look_up(integration: Integration, provider: Provider, filters: Filters, page: int) -> RemotePage[RemoteInstitution]:
    """Search institutions at the provider and store this page of results. Raises `ProviderError`."""
    found = provider.find_institutions(filters, page=page)
    _store(integration, found.items, timezone.now())
    return found


def _store(integration: Integration, remote: Iterable[RemoteInstitution], now: datetime) -> int:
    # One statement can't update a row twice, and a list that shifts between two pages repeats a name.
    # By name, so that no two writers lock them in different orders.
    by_name = {each.name: each for each in remote}
    rows = [Institution(integration=integration, name=name, **_columns(by_name[name], now)) for name in sorted(by_name)]
    Institution.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["integration", "name"],
        update_fields=COLUMNS,
        batch_size=500,
    )
    return len(rows)


def _columns(remote: RemoteInstitution, now: datetime) -> dict[str, Any]:
    return {
        "remote_id": remote.remote_id[:80],
        "display_name": remote.display_name[:160],
        "kind": remote.kind[:20],
        "country": remote.country[:2],
        "status": remote.status[:20],
        "integration_type": remote.integration_type[:20],
        "logo_url": remote.logo_url[:300],
        "website": remote.website[:300],
        "features": list(remote.features),
        "resources": list(remote.resources),
        "form_fields": [dict(field) for field in remote.form_fields],
        "read_at": now,
    }
