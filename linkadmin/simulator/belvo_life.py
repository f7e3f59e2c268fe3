"""What happens to links at Belvo without anybody asking: banks refuse them, customers mend them, others come and go."""

import base64
import random
import uuid
from collections.abc import Callable, Mapping

from . import belvo_consents as consents
from . import belvo_messages as messages
from .records import BelvoLink
from .state import World

Act = Callable[[World, random.Random, BelvoLink], None]


def happen(world: World, chance: random.Random, link_id: str) -> str:
    """Let something happen to a link, and name it; nothing if it is gone."""
    link = world.belvo_links.get(link_id)
    if link is None:
        return "nothing"
    weights = _weights(world, link)
    (name,) = chance.choices(list(weights), list(weights.values()))
    ACTS[name](world, chance, link)
    return name


def refuse(world: World, link: BelvoLink, status: str) -> None:
    """Let the bank refuse the link's next update; `status` is what the link becomes."""
    link.status = status
    if status == "invalid" and link.id in world.consents:
        consents.revoke_now(world, link)
    if link.access_mode == "recurrent":
        world.tell_belvo(*messages.refused(link))


def mend(world: World, link: BelvoLink) -> None:
    """Let the customer repair the link: no message says so, but the data that comes."""
    link.status, link.last_accessed_at, link.refusals, link.silent = "valid", world.now(), 0, False
    consents.authorise(world, link)
    world.tell_belvo(*messages.loaded(link, world.bank(link)))


def _weights(world: World, link: BelvoLink) -> Mapping[str, int]:
    if link.status == "unconfirmed":
        return {"mended": 60, "removed": 40}
    if link.status != "valid":
        return {"mended": 65, "refused": 25, "removed": 10}
    if link.silent:
        return {"mended": 70, "registered": 20, "removed": 10}
    usual = {"refreshed": 50, "silent": 5, "registered": 10, "removed": 5}
    if link.id in world.consents:
        return {**usual, "consent_ended": 20, "consent_revoked": 10}
    return (
        {**usual, "refused": 15, "code_asked": 10} if world.bank(link)["type"] == "bank" else {**usual, "refused": 25}
    )


def _refresh(world: World, chance: random.Random, link: BelvoLink) -> None:
    link.last_accessed_at = world.now()
    if link.access_mode == "recurrent":
        world.tell_belvo(messages.found_more(link, world.bank(link)))


def _fall_silent(world: World, chance: random.Random, link: BelvoLink) -> None:
    link.silent = True


def _remove(world: World, chance: random.Random, link: BelvoLink) -> None:
    """Let somebody else remove the link; Belvo tells of every second one, that which went in the background."""
    if chance.random() < 1 / 2:
        world.tell_belvo(messages.removed(link, f"{chance.getrandbits(128):032x}"))
    world.remove_belvo_link(link.id)


def _register(world: World, chance: random.Random, link: BelvoLink) -> None:
    """Let the customer, or another one, connect one more bank elsewhere."""
    bank = chance.choice([bank for bank in world.institutions.values() if bank["status"] == "healthy"])
    new = BelvoLink(
        institution=bank["name"],
        id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        created_at=world.now(),
        last_accessed_at=world.now(),
        external_id=chance.choice([link.external_id, f"customer-{chance.getrandbits(40):010x}"]),
        institution_user_id=base64.urlsafe_b64encode(chance.randbytes(32)).decode(),
        fetch_resources=bank["resources"][: messages.LOADED_BY_DEFAULT],
    )
    world.belvo_links[new.id] = new
    consents.grant(world, new)
    world.tell_belvo(*messages.loaded(new, bank))


ACTS: Mapping[str, Act] = {
    "refreshed": _refresh,
    "refused": lambda world, chance, link: refuse(world, link, "invalid"),
    "code_asked": lambda world, chance, link: refuse(world, link, "token_required"),
    "mended": lambda world, chance, link: mend(world, link),
    "silent": _fall_silent,
    "consent_ended": lambda world, chance, link: consents.end_now(world, link),
    "consent_revoked": lambda world, chance, link: consents.revoke_now(world, link),
    "registered": _register,
    "removed": _remove,
}
