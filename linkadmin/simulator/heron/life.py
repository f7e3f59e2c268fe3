"""Unprompted changes at Heron: syncs fail, customers repair links, links come and go."""

import random
from collections.abc import Callable, Mapping

from linkadmin.simulator.plaid import messages as plaid_messages
from linkadmin.simulator.store import Store

from . import messages
from .generated import CONDITIONS, company
from .records import HeronEndUser, HeronLink

DRIFTING = {"active", "erroring"}  # statuses
Event = Callable[[Store, random.Random, HeronLink], None]
TROUBLES = tuple(each.message for each in CONDITIONS if each.status == "erroring")
OLD_TROUBLE = next(each.message for each in CONDITIONS if each.status == "active" and each.message)
WEIGHTS: Mapping[str, Mapping[str, int]] = {
    "active": {
        "synced": 50, "failed": 18, "synced_with_old_trouble": 3, "silent": 5, "deleted_in_plaid": 3,
        "switched_off": 3, "registered": 8, "end_user_removed": 3, "processed": 6, "processing_failed": 1,
    },
    "erroring": {"synced": 65, "failed": 25, "deleted_in_plaid": 5, "end_user_removed": 5},
    "pending": {"synced": 100},
    "syncing": {},  # its status changes on its own
}  # fmt: skip
WEIGHTS_IN_SILENCE = {"synced": 70, "registered": 20, "end_user_removed": 10}
WEIGHTS_AT_END = {"registered": 70, "end_user_removed": 30}


def fail(store: Store, link: HeronLink, message: str | None) -> None:
    link.status, link.status_message, link.last_updated = "erroring", message, store.now()
    link.is_repaired = False
    store.tell_heron(messages.erroring(link))
    store.tell_plaid(plaid_messages.failed(link))


def repair(store: Store, link: HeronLink, message: str | None = None) -> None:
    # Heron sends at most a webhook about transactions.
    if link.status == "erroring":
        store.tell_plaid(plaid_messages.about_item(link.item_id, "LOGIN_REPAIRED"))
    link.status, link.status_message, link.silent = "active", message, False
    link.last_successful_sync = link.last_updated = store.now()
    store.tell_of_end_user(link.end_user_id, "transactions_updated")


def drift(store: Store, link: HeronLink, turn: int) -> None:
    if link.status == "active":
        fail(store, link, TROUBLES[turn % len(TROUBLES)])
    else:
        repair(store, link)


def weights(store: Store, link: HeronLink) -> Mapping[str, int]:
    return WEIGHTS_IN_SILENCE if link.status == "active" and link.silent else WEIGHTS.get(link.status, WEIGHTS_AT_END)


def _fall_silent(store: Store, chance: random.Random, link: HeronLink) -> None:
    link.silent = True


def _delete_at_plaid(store: Store, chance: random.Random, link: HeronLink) -> None:
    link.status, link.status_message, link.last_updated = "deleted_in_plaid", None, store.now()


def _register(store: Store, chance: random.Random, link: HeronLink) -> None:
    now = store.now()
    user_id = chance.choice([link.end_user_id, f"customer-{chance.getrandbits(40):010x}"])
    item_id, source = f"{chance.getrandbits(120):030x}", f"dso_{chance.getrandbits(88):022x}"
    if user_id not in store.end_users:
        heron_id = f"eus_{chance.getrandbits(88):022x}"
        store.end_users[user_id] = HeronEndUser(user_id, heron_id, company(chance), created=now, last_updated=now)
        store.tell_of_end_user(user_id, "created")
    new = HeronLink(
        item_id, user_id, link.integration, created=now, type=link.type, last_updated=now, data_source_heron_id=source
    )
    store.add_heron_link(new)
    repair(store, new)


EVENTS: Mapping[str, Event] = {
    "synced": lambda store, chance, link: repair(store, link),
    "synced_with_old_trouble": lambda store, chance, link: repair(store, link, OLD_TROUBLE),
    "failed": lambda store, chance, link: fail(store, link, chance.choice(TROUBLES)),
    "silent": _fall_silent,
    "deleted_in_plaid": _delete_at_plaid,
    "switched_off": lambda store, chance, link: store.switch_off(link.end_user_id, link.integration),
    "registered": _register,
    "end_user_removed": lambda store, chance, link: store.remove_end_user(link.end_user_id),
    "processed": lambda store, chance, link: store.process(link.end_user_id, "processed"),
    "processing_failed": lambda store, chance, link: store.process(link.end_user_id, "failed"),
}
