"""Adds integrations like the first one, each with some of its links, all at the same simulator."""

from django.db import transaction

from linkadmin.integrations.keys import secrets_of, store_secret
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Institution, Link


@transaction.atomic
def add_integrations(count: int, per_integration: int) -> list[str]:
    """Return the IDs of their links."""
    first = Integration.objects.get(provider="belvo")
    simple = first.links.exclude(institution__name="ironbank_br_retail").order_by("pk")  # it wants two passwords
    secrets, links = secrets_of(first), list(simple[: count * per_integration])
    made = []
    for number in range(count):
        copy = Integration.objects.create(provider="belvo", name=f"Belvo {number}", base_url=first.base_url)
        for name, secret in secrets.items():
            store_secret(copy, name, secret)
        for link in links[number * per_integration : (number + 1) * per_integration]:
            bank = link.institution
            assert bank is not None
            columns = {"kind": bank.kind, "display_name": bank.display_name, "form_fields": bank.form_fields}
            own, _made = Institution.objects.get_or_create(integration=copy, name=bank.name, defaults=columns)
            Link.objects.filter(pk=link.pk).update(integration=copy, institution=own)
            made.append(str(link.pk))
    return made
