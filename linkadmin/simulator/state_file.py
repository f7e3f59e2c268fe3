"""The state file: what survives a restart, and how a demonstration store is planted.

One JSON object; every key may be left out, unknown keys are refused by name:

    {"version": 1,
     "salt": "32 hex digits",
     "population": {"seed": 7, "belvo_links": 1000, "heron_links": 1000, "until": "2026-11-20T00:00:00Z"},
     "belvo": {
        "institutions": {"gotham_mx_business": "down"},
        "links": [{"institution": "erebor_mx_retail", "id": "uuid", "status": "valid", "access_mode": "recurrent",
                   "last_accessed_at": "2026-11-20T08:00:00Z", "created_at": "2026-01-02T08:00:00Z",
                   "external_id": "customer-17", "refresh_rate": "7d", "credentials_storage": "store",
                   "fetch_resources": ["ACCOUNTS"], "stale_in": "365d", "institution_user_id": "44 characters",
                   "created_by": "uuid", "refusals": 0, "refreshed_at": null, "silent": false}],
        "consents": [{"link": "uuid", "status": "EXPIRED", "id": "uuid", "created_at": "2026-01-02T08:00:00Z",
                      "expired_at": "2026-11-20T08:00:00Z"}]},
     "heron": {
        "integrations": [{"name": "Plaid", "resource": "transaction", "type": "plaid", "heron_id": "itg_...",
                          "base_url": null, "webhook_url": null}],
        "webhooks": [{"topic": "integration_link.erroring", "url": "https://...", "is_enabled": true,
                      "heron_id": "wbh_..."}],
        "end_users": [{"end_user_id": "customer-17", "name": "Blue Fern Bakery", "heron_id": "eus_...",
                       "status": "new", "is_portfolio": false, "created": "2026-01-02T08:00:00Z",
                       "last_updated": "2026-01-02T08:00:00Z", "last_processed_at": null, "meta": null}],
        "links": [{"item_id": "abc", "end_user_id": "customer-17", "integration": "itg_sandbox_transactions",
                   "status": "erroring", "status_message": "[ITEM_LOCKED] ...", "created": "2026-01-02T08:00:00Z",
                   "last_updated": "2026-11-20T08:00:00Z", "last_successful_sync": null,
                   "type": "plaid_integration", "data_source_heron_id": "dso_...",
                   "settles_at": null, "settles_as": ["active", null],
                   "silent": false, "source_enabled": true}]}}

Required are only a Belvo link's `institution`, a consent's `link`, an end user's `end_user_id`, a Heron link's
`item_id` and `end_user_id`, an integration's `name` and `resource`, a webhook's `topic` and `url`; missing ids are
made up, missing moments are the start of the server, an end user that only a link names is added. Moments are ISO
texts. A link that works fetches new data on its schedule, unless it is `silent`.

Of a population the file holds all records as they are now, and which one it was: asking for another is refused.

Consents need to be named only where they differ from the usual one: authorised, for a year from the link's creation.
There is no secret in it, neither of an integration nor in a webhook's headers: those are gone after a restart.
There is no password and no username in it: `institution_user_id` is a digest of institution and username under
`salt`, which is how a second link of the same person at the same bank is refused as `duplicated`, whatever its
password, for as long as the first one lives and was completed.
"""

import json
import logging
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from .belvo import consents
from .belvo.records import CONSENT_STATUSES, LINK_STATUSES, BelvoLink, Consent
from .clock import iso, seconds
from .generated import Population
from .heron.records import ITEM_STATUSES, RESOURCES, EndUser, HeronLink, Integration, Webhook
from .store import Store, Task
from .wire import as_dict

VERSION = 1
PAUSE = 0.2  # seconds; changes within it are written together
MOMENTS = {
    "created_at", "last_accessed_at", "refreshed_at", "created", "last_updated", "last_processed_at",
    "last_successful_sync", "settles_at", "expired_at",
}  # fmt: skip
SECRETS = {"client_id", "client_secret", "headers"}  # never written
Record = TypeVar("Record", BelvoLink, EndUser, HeronLink, Consent, Integration, Webhook)

logger = logging.getLogger(__name__)


class StateFileError(ValueError):
    """The state file cannot be understood; the text says where."""


def load(store: Store, path: Path, asked: Population) -> None:
    """Fill the store from the file, and with the population that is asked for. Raises StateFileError."""
    try:
        _fill(store, json.loads(path.read_text()), asked)
    except (ValueError, TypeError, AttributeError) as error:
        raise StateFileError(f"{path}: {error}") from error


def _fill(store: Store, document: Mapping[str, Any], asked: Population) -> None:
    _only(document, {"version", "salt", "population", "belvo", "heron"}, "the file")
    if document.get("version", VERSION) != VERSION:
        raise StateFileError(f"version {document['version']} is not known")
    store.salt = bytes.fromhex(document.get("salt", store.salt)).hex()
    if "population" in document:
        _populate(store, document["population"], asked)
    else:
        store.generate(asked)
    _fill_belvo(store, document.get("belvo", {}))
    _fill_heron(store, document.get("heron", {}))


def _populate(store: Store, raw: Mapping[str, Any], asked: Population) -> None:
    """Note the population that is in the file. Raises StateFileError if another one is asked for."""
    _only(raw, {each.name for each in fields(Population)}, "the population")
    store.population = Population(**{**raw, "until": seconds(raw["until"])})
    if not asked.is_empty and replace(asked, until=store.population.until) != store.population:
        raise StateFileError("the file has another population than the one asked for")


def _fill_belvo(store: Store, belvo: Mapping[str, Any]) -> None:
    _only(belvo, {"institutions", "links", "consents"}, "belvo")
    for name, status in belvo.get("institutions", {}).items():
        _one_of(name, store.institutions, "an institution")
        store.institutions[name]["status"] = _one_of(status, ("healthy", "down"), "the status of an institution")
    for raw in belvo.get("links", []):
        _plant_belvo_link(store, raw)
    for raw in belvo.get("consents", []):
        consent = _record(Consent, raw, store)
        _one_of(consent.status, CONSENT_STATUSES, "the status of a consent")
        store.consents[consent.link] = consent
    in_order = sorted(store.belvo_links.values(), key=attrgetter("created_at", "id"))
    store.belvo_links = {link.id: link for link in in_order}
    for link in in_order:
        if link.id not in store.consents:
            consents.grant(store, link)


def _fill_heron(store: Store, heron: Mapping[str, Any]) -> None:
    _only(heron, {"integrations", "webhooks", "end_users", "links"}, "heron")
    for raw in heron.get("integrations", []):
        integration = _record(Integration, raw, store)
        _one_of(integration.resource, RESOURCES, "the resource of an integration")
        store.integrations[integration.heron_id] = integration
    for raw in heron.get("webhooks", []):
        webhook = _record(Webhook, raw, store)
        store.webhooks[webhook.heron_id] = webhook
    for raw in heron.get("end_users", []):
        user = _record(EndUser, raw, store)
        store.end_users[user.end_user_id] = user
    for raw in heron.get("links", []):
        _plant_heron_link(store, raw)


def _plant_belvo_link(store: Store, raw: Mapping[str, Any]) -> None:
    link = _record(BelvoLink, raw, store)
    _one_of(link.institution, store.institutions, "an institution")
    _one_of(link.status, LINK_STATUSES, "the status of a Belvo link")
    if link.access_mode == "single" and "refresh_rate" not in raw:
        link.refresh_rate = None
    store.belvo_links[link.id] = link


def _plant_heron_link(store: Store, raw: Mapping[str, Any]) -> None:
    link = _record(HeronLink, raw, store)
    _one_of(link.integration, store.integrations, "an integration")
    _one_of(link.status, ITEM_STATUSES, "the status of a Heron link")
    link.type = link.type or store.integrations[link.integration].link_type
    status, message = link.settles_as
    link.settles_as = (status, message)
    store.add_heron_link(link)
    if link.end_user_id not in store.end_users:
        user = EndUser(link.end_user_id, created=link.created, last_updated=link.last_updated)
        store.end_users[user.end_user_id] = user


def _record(kind: type[Record], raw: Mapping[str, Any], store: Store) -> Record:
    known = {field.name: field for field in fields(kind)}
    _only(raw, known.keys(), f"a {kind.__name__}")
    for name, field in known.items():
        if name not in raw and field.default is MISSING and field.default_factory is MISSING:
            raise StateFileError(f"a {kind.__name__} has no {name}")
    start = {name: store.now() for name in ("created", "created_at", "last_updated") if name in known}
    moments = {name: iso(seconds(text)) for name, text in raw.items() if name in MOMENTS and text}
    given = {name: value for name, value in raw.items() if value is not None or name not in start}
    return kind(**{**start, **given, **moments})


def _only(raw: Mapping[str, Any], allowed: Any, where: str) -> None:
    if unknown := sorted(set(raw) - set(allowed)):
        raise StateFileError(f"unknown key {unknown[0]!r} in {where}")


def _one_of(value: str, allowed: Any, what: str) -> str:
    if value not in allowed:
        raise StateFileError(f"{value!r} is not {what}")
    return value


def document(store: Store) -> dict[str, Any]:
    """Everything worth keeping, as the file holds it: what is on its way out is gone already."""
    with store.lock:
        leaving = {key for task, key in store.due if task in (Task.REMOVE_LINK, Task.REMOVE_END_USER)}
        return {
            "version": VERSION,
            "salt": store.salt,
            **_population(store.population),
            "belvo": {
                "institutions": {name: bank["status"] for name, bank in store.institutions.items()},
                "links": _rows(link for link in store.belvo_links.values() if link.id not in leaving),
                "consents": _rows(consent for consent in store.consents.values() if consent.link not in leaving),
            },
            "heron": {
                "integrations": _rows(store.integrations.values()),
                "webhooks": _rows(store.webhooks.values()),
                "end_users": _rows(user for user in store.end_users.values() if user.end_user_id not in leaving),
                "links": _rows(link for link in store.heron_links.values() if link.end_user_id not in leaving),
            },
        }


def _population(population: Population) -> dict[str, Any]:
    told = {**asdict(population), "until": iso(population.until or 0)}
    return {} if population.is_empty else {"population": told}


def _rows(records: Iterable[object]) -> list[dict[str, Any]]:
    return [as_dict(record, SECRETS) for record in records]


def write(store: Store, path: Path) -> None:
    """Replace the file as a whole, readable by its owner alone. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(document(store)))
    draft.replace(path)


class Keeper:
    """The small thread that writes the state file after changes, and once more at the end."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._thread = threading.Thread(target=self._run, name="simulator-state", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is still unwritten. The store has to be stopping."""
        self._store.changed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._store.stopping.is_set():
            self._store.changed.wait()
            self._store.stopping.wait(PAUSE)
            self._store.changed.clear()
            self._try_to_write()
        self._try_to_write()

    def _try_to_write(self) -> None:
        try:
            write(self._store, self._path)
        except OSError as error:
            logger.error("the state file cannot be written: %s", error)
