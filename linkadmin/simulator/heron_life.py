"""What happens to links at Heron without anybody asking: syncs fail, customers mend them, others come and go."""

import random
from collections.abc import Callable, Mapping

from . import heron_messages as messages
from .heron_generated import CONDITIONS, company
from .records import EndUser, HeronLink
from .state import World

Act = Callable[[World, random.Random, HeronLink], None]
TROUBLES = tuple(each.message for each in CONDITIONS if each.status == "erroring")
OLD_TROUBLE = next(each.message for each in CONDITIONS if each.status == "active" and each.message)


def happen(world: World, chance: random.Random, item_id: str) -> str:
    """Let something happen to a link, and name it; nothing if it is gone."""
    link = world.heron_links.get(item_id)
    weights = _weights(link) if link else {}
    if not link or not weights:
        return "nothing"
    (name,) = chance.choices(list(weights), list(weights.values()))
    ACTS[name](world, chance, link)
    return name


def fail(world: World, link: HeronLink, message: str | None) -> None:
    """Let a sync of the link fail."""
    link.status, link.status_message, link.last_updated = "erroring", message, world.now()
    world.tell_heron(messages.erroring(link))


def mend(world: World, link: HeronLink, message: str | None = None) -> None:
    """Let a sync of the link succeed; Heron tells of the transactions at most."""
    link.status, link.status_message, link.silent = "active", message, False
    link.last_successful_sync = link.last_updated = world.now()
    world.tell_of_end_user(link.end_user_id, "transactions_updated")


def _weights(link: HeronLink) -> Mapping[str, int]:
    match link.status:
        case "active" if link.silent:
            return {"synced": 70, "registered": 20, "end_user_removed": 10}
        case "active":
            return {
                "synced": 50, "failed": 18, "synced_with_old_trouble": 3, "silent": 5, "deleted_in_plaid": 3,
                "switched_off": 3, "registered": 8, "end_user_removed": 3, "processed": 6, "processing_failed": 1,
            }  # fmt: skip
        case "erroring":
            return {"synced": 65, "failed": 25, "deleted_in_plaid": 5, "end_user_removed": 5}
        case "pending":
            return {"synced": 100}
        case "syncing":
            return {}  # it will settle
        case _:
            return {"registered": 70, "end_user_removed": 30}


def _fail(world: World, chance: random.Random, link: HeronLink) -> None:
    fail(world, link, chance.choice(TROUBLES))


def _fall_silent(world: World, chance: random.Random, link: HeronLink) -> None:
    link.silent = True


def _delete_at_plaid(world: World, chance: random.Random, link: HeronLink) -> None:
    link.status, link.status_message, link.last_updated = "deleted_in_plaid", None, world.now()


def _switch_off(world: World, chance: random.Random, link: HeronLink) -> None:
    for each in world.links_of(link.end_user_id):
        if each.integration == link.integration:
            each.status, each.status_message, each.settles_at = "sync_disabled", None, None
            each.last_updated = world.now()


def _register(world: World, chance: random.Random, link: HeronLink) -> None:
    """Let the customer, or another one, connect one more bank elsewhere."""
    now = world.now()
    user_id = chance.choice([link.end_user_id, f"customer-{chance.getrandbits(40):010x}"])
    item_id, source = f"{chance.getrandbits(120):030x}", f"dso_{chance.getrandbits(88):022x}"
    if user_id not in world.end_users:
        heron_id = f"eus_{chance.getrandbits(88):022x}"
        world.end_users[user_id] = EndUser(user_id, heron_id, company(chance), created=now, last_updated=now)
        world.tell_of_end_user(user_id, "created")
    new = HeronLink(
        item_id, user_id, link.integration, created=now, type=link.type, last_updated=now, data_source_heron_id=source
    )
    world.add_heron_link(new)
    mend(world, new)


def _remove_end_user(world: World, chance: random.Random, link: HeronLink) -> None:
    world.remove_end_user(link.end_user_id)


def _process(world: World, link: HeronLink, status: str) -> None:
    if user := world.end_users.get(link.end_user_id):
        user.status, user.last_processed_at, user.last_updated = status, world.now(), world.now()
        world.tell_of_end_user(user.end_user_id, status)


ACTS: Mapping[str, Act] = {
    "synced": lambda world, chance, link: mend(world, link),
    "synced_with_old_trouble": lambda world, chance, link: mend(world, link, OLD_TROUBLE),
    "failed": _fail,
    "silent": _fall_silent,
    "deleted_in_plaid": _delete_at_plaid,
    "switched_off": _switch_off,
    "registered": _register,
    "end_user_removed": _remove_end_user,
    "processed": lambda world, chance, link: _process(world, link, "processed"),
    "processing_failed": lambda world, chance, link: _process(world, link, "failed"),
}
