"""Print IDs that occur in the data set, for the workloads."""

import json
import sys

import django

django.setup()

from linkadmin.links.models import Link  # noqa: E402 - Django has to be set up first
from linkadmin.paging import write_moment  # noqa: E402

links = Link.objects.order_by("urgency", "health_since", "id")
deep = links.all()[links.count() * 9 // 10]
first = links[0]
json.dump(
    {
        "link": str(first.pk),
        "integration": str(first.integration_id),
        "institution": str(first.institution_id),
        "deep": f"{deep.urgency}.{write_moment(deep.health_since)}.{deep.pk}",
    },
    sys.stdout,
)
