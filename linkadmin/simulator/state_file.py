"""The state file: what survives a restart, and how the demo's data gets in.

One JSON object; every key is optional, unknown keys are errors:

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
                   "silent": false, "is_repaired": false, "source_enabled": true}]}}

Required are only a Belvo link's `institution`, a consent's `link`, an end user's `end_user_id`, a Heron link's
`item_id` and `end_user_id`, an integration's `name` and `resource`, a webhook's `topic` and `url`; missing IDs are
invented, missing times are the server's start, and an end user that only a link names is added. Times are in ISO
format. A working link fetches new data on its schedule, unless it's `silent`.

For a generated population the file has all records as they are now, plus its size and seed. Asking for a different one
is an error.

Consents are needed only where they differ from the default: authorised, for a year from the link's creation.
The file has no secrets: those of integrations and in webhook headers are lost on restart.
It has no passwords or usernames either: `institution_user_id` is a digest of institution and username with `salt`. A
second link with the same one is rejected as `duplicated`, whatever its password, while the first one exists and was
completed.
"""

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from .belvo import consents
from .belvo.institutions import INSTITUTIONS
from .belvo.records import CONSENT_STATUSES, LINK_STATUSES, BelvoLink, Consent
from .clock import iso, seconds
from .generated import Population
from .heron.records import ITEM_STATUSES, RESOURCES, HeronEndUser, HeronIntegration, HeronLink, Webhook
from .store import Store, Task
from .wire import as_dict

VERSION = 1
MOMENTS = {
    "created_at", "last_accessed_at", "refreshed_at", "created", "last_updated", "last_processed_at",
    "last_successful_sync", "settles_at", "expired_at",
}  # fmt: skip
SECRETS = {"client_id", "client_secret", "headers"}  # never written


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of record: where the file and the store have it, and its valid values."""

    provider: str
    name: str
    record: type[Any]
    kept: Callable[[Store], dict[str, Any]]
    key: str
    owner: str  # the field that names its parent
    allowed: Mapping[str, tuple[Collection[str], str]] = field(default_factory=dict)  # by field: valid values, noun


KINDS = (
    RecordKind(
        "belvo", "links", BelvoLink, lambda store: store.belvo_links, "id", "id",
        {"institution": (INSTITUTIONS, "an institution"), "status": (LINK_STATUSES, "the status of a Belvo link")},
    ),
    RecordKind(
        "belvo", "consents", Consent, lambda store: store.consents, "link", "link",
        {"status": (CONSENT_STATUSES, "the status of a consent")},
    ),
    RecordKind(
        "heron", "integrations", HeronIntegration, lambda store: store.integrations, "heron_id", "heron_id",
        {"resource": (RESOURCES, "the resource of an integration")},
    ),
    RecordKind("heron", "webhooks", Webhook, lambda store: store.webhooks, "heron_id", "heron_id"),
    RecordKind("heron", "end_users", HeronEndUser, lambda store: store.end_users, "end_user_id", "end_user_id"),
    RecordKind(
        "heron", "links", HeronLink, lambda store: store.heron_links, "item_id", "end_user_id",
        {"status": (ITEM_STATUSES, "the status of a Heron link")},
    ),
)  # fmt: skip
IN_FILE = {provider: {kind.name for kind in KINDS if kind.provider == provider} for provider in ("belvo", "heron")}


class StateFileError(ValueError):
    """The state file is invalid; the text says where."""


def load(store: Store, path: Path, asked: Population) -> None:
    try:
        _fill(store, json.loads(path.read_text()), asked)
    except (ValueError, TypeError, AttributeError) as error:
        raise StateFileError(f"{path}: {error}") from error


def _fill(store: Store, document: Mapping[str, Any], asked: Population) -> None:
    _only(document, {"version", "salt", "population", "belvo", "heron"}, "the file")
    if document.get("version", VERSION) != VERSION:
        raise StateFileError(f"version {document['version']} isn't supported")
    store.salt = bytes.fromhex(document.get("salt", store.salt)).hex()
    if "population" in document:
        _note_population(store, document["population"], asked)
    else:
        store.generate(asked)
    belvo, heron = document.get("belvo", {}), document.get("heron", {})
    _only(belvo, {"institutions"} | IN_FILE["belvo"], "belvo")
    _only(heron, IN_FILE["heron"], "heron")
    for name, status in belvo.get("institutions", {}).items():
        _one_of(name, store.institutions, "an institution")
        store.institutions[name]["status"] = _one_of(status, ("healthy", "down"), "the status of an institution")
    for kind in KINDS:
        for raw in (belvo if kind.provider == "belvo" else heron).get(kind.name, []):
            record = _record(kind, raw, store.now())
            kind.kept(store)[getattr(record, kind.key)] = record
    _complete_belvo(store)
    _complete_heron(store)


def _note_population(store: Store, raw: Mapping[str, Any], asked: Population) -> None:
    _only(raw, {each.name for each in fields(Population)}, "the population")
    store.population = Population(**{**raw, "until": seconds(raw["until"])})
    if not asked.is_empty and replace(asked, until=store.population.until) != store.population:
        raise StateFileError("the file was created with different population options")


def _record(kind: RecordKind, raw: Mapping[str, Any], now: str) -> Any:
    known, what = {each.name: each for each in fields(kind.record)}, f"a {kind.record.__name__}"
    _only(raw, known, what)
    for name, each in known.items():
        if name not in raw and each.default is MISSING and each.default_factory is MISSING:
            raise StateFileError(f"{what} has no {name}")
    start: dict[str, Any] = {name: now for name in ("created", "created_at", "last_updated") if name in known}
    if raw.get("access_mode") == "single":
        start["refresh_rate"] = None
    moments = {name: iso(seconds(text)) for name, text in raw.items() if name in MOMENTS and text}
    given = {name: value for name, value in raw.items() if value is not None or name not in start}
    record = kind.record(**{**start, **given, **moments})
    for name, (allowed, meaning) in kind.allowed.items():
        _one_of(getattr(record, name), allowed, meaning)
    return record


def _complete_belvo(store: Store) -> None:
    in_order = sorted(store.belvo_links.values(), key=attrgetter("created_at", "id"))
    store.belvo_links = {link.id: link for link in in_order}
    for link in in_order:
        if link.id not in store.consents:
            consents.grant(store, link)


def _complete_heron(store: Store) -> None:
    for link in list(store.heron_links.values()):
        _one_of(link.integration, store.integrations, "an integration")
        link.type = link.type or store.integrations[link.integration].link_type
        link.settles_as = (link.settles_as[0], link.settles_as[1])
        store.add_heron_link(link)
        user = HeronEndUser(link.end_user_id, created=link.created, last_updated=link.last_updated)
        store.end_users.setdefault(link.end_user_id, user)


def _only(raw: Iterable[str], allowed: Collection[str], where: str) -> None:
    if unknown := sorted(set(raw) - set(allowed)):
        raise StateFileError(f"unknown key {unknown[0]!r} in {where}")


def _one_of(value: str, allowed: Collection[str], what: str) -> str:
    if value not in allowed:
        raise StateFileError(f"{value!r} isn't {what}")
    return value


def document(store: Store) -> dict[str, Any]:
    # Without what's about to be removed.
    with store.lock:
        leaving = {key for task, key in store.due if task in (Task.REMOVE_LINK, Task.REMOVE_END_USER)}
        state: dict[str, Any] = {
            "version": VERSION,
            "salt": store.salt,
            "belvo": {"institutions": {name: bank["status"] for name, bank in store.institutions.items()}},
            "heron": {},
        }
        if not store.population.is_empty:
            state["population"] = {**asdict(store.population), "until": iso(store.population.until or 0)}
        for kind in KINDS:
            records = kind.kept(store).values()
            staying = [as_dict(each, SECRETS) for each in records if getattr(each, kind.owner) not in leaving]
            state[kind.provider][kind.name] = staying
        return state


def write(path: Path, state: Mapping[str, Any]) -> None:
    """Replace the file atomically, readable only by its owner. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(state))
    draft.replace(path)
