"""Unprompted changes at Belvo: banks reject sign-ins, customers repair links, links come and go."""

import base64
import random
import uuid
from collections.abc import Callable, Mapping

from linkadmin.simulator.store import Store

from . import consents, messages
from .records import BelvoLink

BROKEN = ("invalid", "token_required", "invalid")
DRIFTING = {"valid", *BROKEN}  # statuses
Event = Callable[[Store, random.Random, BelvoLink], None]


def refuse(store: Store, link: BelvoLink, status: str) -> None:
    link.status = status
    if status == "invalid" and link.id in store.consents:
        consents.revoke_now(store, link)
    if link.access_mode == "recurrent":
        store.tell_belvo(*messages.refused(link))


def repair(store: Store, link: BelvoLink) -> None:
    # No webhook says so, except for new data.
    link.status, link.last_accessed_at, link.refusals, link.silent = "valid", store.now(), 0, False
    consents.authorise(store, link)
    store.tell_belvo(*messages.loaded(link, store.bank(link)))


def drift(store: Store, link: BelvoLink, turn: int) -> None:
    if link.status == "valid":
        refuse(store, link, BROKEN[turn % len(BROKEN)])
    else:
        repair(store, link)


def weights(store: Store, link: BelvoLink) -> Mapping[str, int]:
    if link.status == "unconfirmed":
        return {"repaired": 60, "removed": 40}
    if link.status != "valid":
        return {"repaired": 65, "refused": 25, "removed": 10}
    if link.silent:
        return {"repaired": 70, "registered": 20, "removed": 10}
    usual = {"refreshed": 50, "silent": 5, "registered": 10, "removed": 5}
    if link.id in store.consents:
        return {**usual, "consent_ended": 20, "consent_revoked": 10}
    return (
        {**usual, "refused": 15, "code_asked": 10} if store.bank(link)["type"] == "bank" else {**usual, "refused": 25}
    )


def _refresh(store: Store, chance: random.Random, link: BelvoLink) -> None:
    link.last_accessed_at = store.now()
    if link.access_mode == "recurrent":
        store.tell_belvo(messages.found_more(link, store.bank(link)))


def _fall_silent(store: Store, chance: random.Random, link: BelvoLink) -> None:
    link.silent = True


def _remove(store: Store, chance: random.Random, link: BelvoLink) -> None:
    # Half are removals in the background; Belvo sends webhooks for those only.
    if chance.random() < 1 / 2:
        store.tell_belvo(messages.removed(link, f"{chance.getrandbits(128):032x}"))
    store.remove_belvo_link(link.id)


def _register(store: Store, chance: random.Random, link: BelvoLink) -> None:
    bank = chance.choice([bank for bank in store.institutions.values() if bank["status"] == "healthy"])
    new = BelvoLink(
        institution=bank["name"],
        id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        created_at=store.now(),
        last_accessed_at=store.now(),
        external_id=chance.choice([link.external_id, f"customer-{chance.getrandbits(40):010x}"]),
        institution_user_id=base64.urlsafe_b64encode(chance.randbytes(32)).decode(),
        fetch_resources=bank["resources"][: messages.LOADED_BY_DEFAULT],
    )
    store.belvo_links[new.id] = new
    consents.grant(store, new)
    store.tell_belvo(*messages.loaded(new, bank))


EVENTS: Mapping[str, Event] = {
    "refreshed": _refresh,
    "refused": lambda store, chance, link: refuse(store, link, "invalid"),
    "code_asked": lambda store, chance, link: refuse(store, link, "token_required"),
    "repaired": lambda store, chance, link: repair(store, link),
    "silent": _fall_silent,
    "consent_ended": lambda store, chance, link: consents.end_now(store, link),
    "consent_revoked": lambda store, chance, link: consents.revoke_now(store, link),
    "registered": _register,
    "removed": _remove,
}
