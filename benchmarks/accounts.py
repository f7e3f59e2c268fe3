"""Integrations of a run at the simulator. `add PROVIDER URL COUNT LINKS` prints them; `remove` deletes them all."""

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import django

django.setup()

import requests  # noqa: E402 - Django has to be set up first
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from linkadmin.demo.scenarios import answered  # noqa: E402
from linkadmin.integrations.keys import store_secret  # noqa: E402
from linkadmin.integrations.models import CallQuota, Integration  # noqa: E402
from linkadmin.links.models import EndUser, Institution, Link  # noqa: E402
from linkadmin.providers.belvo import records as belvo_records  # noqa: E402
from linkadmin.providers.types import Secret  # noqa: E402
from linkadmin.simulator.belvo.institutions import INSTITUTIONS, asks_for_code, kind_of  # noqa: E402
from linkadmin.webhooks import endpoints  # noqa: E402

NAME = "Benchmark"
KEYS = {
    "belvo": {"secret_id": "sandbox-id", "secret_password": "sandbox-password"},
    "heron": {"api_key": "key_sandbox"},
}
AUTHORIZATION = "Bearer benchmark-of-linkadmin"
UNLIMITED = 1_000_000
CHUNK = 5000


def add(provider: str, url: str, count: int, links: int) -> list[dict[str, Any]]:
    remove()  # what an interrupted run left
    added = []
    for number in range(count):
        with transaction.atomic():
            integration = Integration.objects.create(
                provider=provider,
                name=f"{NAME} {number}",
                base_url=url,
                key_state=Integration.KeyState.VALID,
                institutions_read_at=timezone.now(),
                options={"integration_id": "itg_sandbox_transactions"} if provider == "heron" else {},
            )
            for name, text in KEYS[provider].items():
                store_secret(integration, name, Secret(text))
        _lift_limits(integration)
        endpoint = endpoints.renew(integration, by=None)
        endpoints.add_secret(integration, Secret(AUTHORIZATION), by=None, after=0)
        added.append(
            {
                "id": str(integration.pk),
                "webhook_path": endpoint.address,
                "webhook_authorization": AUTHORIZATION,
                **_links(integration, url, links, skip=number * links),
            }
        )
    return added


def _lift_limits(integration: Integration) -> None:
    """The provider reported that it allows any number of calls, until tomorrow."""
    scopes = {"", *(quota.scope for quota in integration.provider_class.quotas)}
    ends_at = timezone.now() + timedelta(days=1)
    CallQuota.objects.bulk_create(
        CallQuota(integration=integration, scope=scope, calls=UNLIMITED, window_ends_at=ends_at, reported=True)
        for scope in scopes
    )


def _links(integration: Integration, url: str, count: int, skip: int) -> dict[str, list[str]]:
    """Add links for some of Belvo's records."""
    keys = KEYS["belvo"]
    auth, records, page = (keys["secret_id"], keys["secret_password"]), [], 0
    while len(records) < skip + count:
        page += 1
        asked = {"page_size": "1000", "page": str(page)}
        found = requests.get(f"{url}/api/links/", asked, auth=auth, timeout=60).json()["results"]
        records += [each for each in found if _a_password_repairs(each)]
    banks = {each.name: each for each in Institution.objects.bulk_create(_institutions(integration))}
    rows = []
    for record in records[skip : skip + count]:
        customer, _ = EndUser.objects.get_or_create(external_id=f"bench-{record['external_id']}")
        rows.append(
            Link(
                integration=integration,
                institution=banks[record["institution"]],
                end_user=customer,
                remote_id=record["id"],
            )
        )
    Link.objects.bulk_create(rows)
    return {"links": [str(each.pk) for each in rows], "remote_ids": [each.remote_id for each in rows]}


def _a_password_repairs(record: dict[str, Any]) -> bool:
    """Whether one password is all that the bank asks for, and all that its link needs."""
    bank = INSTITUTIONS[record["institution"]]
    asked = [field["name"] for field in bank["form_fields"] if field["type"] in ("password", "select")]
    asks_for_it = kind_of(bank) == "bank" and asked == ["password"] and not asks_for_code(bank)
    return asks_for_it and bank["status"] != "down" and record["credentials_storage"] != "nostore"


def _institutions(integration: Integration) -> list[Institution]:
    answer = answered(200, {"results": list(INSTITUTIONS.values())})
    listed = belvo_records.page(answer, parse=belvo_records.institution_of, number=1).items
    return [Institution(integration=integration, **asdict(each)) for each in listed]


def remove() -> None:
    while True:
        some = list(Link.objects.filter(integration__name__startswith=NAME).values_list("pk", "end_user")[:CHUNK])
        if not some:
            break
        links, customers = zip(*some, strict=True)
        with transaction.atomic():
            _remove(Link, links)
            free = EndUser.objects.filter(pk__in=customers, links=None).values_list("pk", flat=True)
            _remove(EndUser, list(free))
    ours = Integration.objects.filter(name__startswith=NAME)
    _remove(Integration, list(ours.values_list("pk", flat=True)))


def _relations(model: Any) -> list[Any]:
    """Foreign keys to a model, also those without a name on this side."""
    fields = model._meta.get_fields(include_hidden=True)
    return [
        each for each in fields if (each.one_to_many or each.one_to_one) and each.auto_created and not each.concrete
    ]


def _remove(model: Any, keys: Any) -> None:
    """Delete rows and everything that refers to them, without loading it."""
    if not keys:
        return
    for relation in _relations(model):
        rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": keys})
        if _relations(relation.related_model):
            _remove(relation.related_model, list(rows.values_list("pk", flat=True)))
        elif relation.field.null:
            rows.update(**{relation.field.name: None})
        else:
            rows._raw_delete(rows.db)
    model._base_manager.filter(pk__in=keys)._raw_delete("default")


if __name__ == "__main__":
    if sys.argv[1] == "add":
        provider, url, count, links = sys.argv[2:]
        json.dump(add(provider, url, int(count), int(links)), sys.stdout)
    else:
        remove()
