"""The institutions that a provider's records of links name."""

from collections.abc import Iterable

from linkadmin.integrations.models import Integration

from .models import Institution


def institutions_named(integration: Integration, names: set[str]) -> dict[str, Institution]:
    """Return an integration's institutions by name; one that its list does not have yet is made from its name."""
    known = _known(integration, names)
    if new := sorted(names - known.keys()):
        rows = [Institution(integration=integration, name=name, display_name=name) for name in new]
        Institution.objects.bulk_create(rows, ignore_conflicts=True)
        known |= _known(integration, new)
    return known


def _known(integration: Integration, names: Iterable[str]) -> dict[str, Institution]:
    return {each.name: each for each in integration.institutions.filter(name__in=list(names))}
