"""Add integrations like the first one, each with some of its links, all at the same simulator.

`python -m tests.processes.integrations COUNT LINKS` prints the IDs of their links as JSON.
"""

import json
import sys

import django

django.setup()

from django.db import transaction  # noqa: E402

from linkadmin.integrations.keys import secrets_of, store_secret  # noqa: E402
from linkadmin.integrations.models import Integration  # noqa: E402
from linkadmin.links.models import Institution, Link  # noqa: E402


@transaction.atomic
def main(count: int, per_integration: int) -> None:
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
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
