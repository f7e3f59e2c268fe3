"""Scheduled changes at the providers, with or without requests.

Working links fetch new data, consents end, and accepted requests are carried out a little later.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from .belvo import consents
from .belvo import messages as belvo_messages
from .belvo.records import REFRESH_RATES, BelvoLink
from .clock import iso, seconds
from .heron import messages as heron_messages
from .heron.records import PLAID_PULLS, HeronLink
from .state_file import document, write
from .store import Store, Task

logger = logging.getLogger(__name__)

PAUSE = 0.2  # seconds
LOOK_EVERY = 60.0  # seconds; nobody notices a link that is fetched a minute late


def catch_up(store: Store) -> None:
    with store.lock:
        now = store.clock()
        if now >= store.renewed_at + LOOK_EVERY:
            since, store.renewed_at = store.renewed_at, now
            _fetch(store, now, is_news=bool(since))
            if since:  # events before the first run send no webhooks
                consents.announce(store, since, now)
        for task, key in [which for which, moment in store.due.items() if moment <= now]:
            if store.due.pop((task, key), None):  # otherwise an earlier task removed it
                TASKS[task](store, key)
                store.save()


def _fetch(store: Store, now: float, *, is_news: bool) -> None:
    belvo = [link for link in store.belvo_links.values() if _renew_belvo(link, now)]
    heron = [link for link in store.heron_links.values() if _renew_heron(link, now)]
    if belvo or heron:
        store.save()
    if is_news:
        store.tell_belvo(*(belvo_messages.found_more(link, store.bank(link)) for link in belvo))
        for item in heron:
            store.tell_of_end_user(item.end_user_id, "transactions_updated")


def _renew_belvo(link: BelvoLink, now: float) -> bool:
    rate = REFRESH_RATES.get(link.refresh_rate or "")
    works = link.status == "valid" and link.access_mode == "recurrent" and not link.silent
    latest = _latest(link.last_accessed_at, rate, now) if works and rate else None
    if latest:
        link.last_accessed_at = latest
    return latest is not None


def _renew_heron(link: HeronLink, now: float) -> bool:
    works = link.status == "active" and link.type == "plaid_integration" and not link.silent
    latest = _latest(link.last_successful_sync, PLAID_PULLS, now) if works else None
    if latest:
        link.last_successful_sync = link.last_updated = latest
    return latest is not None


def _latest(last: str | None, rate: timedelta, now: float) -> str | None:
    """Return the time of the latest fetch due by now; None if none was due."""
    if last is None:
        return None
    missed = (now - seconds(last)) // rate.total_seconds()
    return iso(seconds(last) + missed * rate.total_seconds()) if missed > 0 else None


def _remove_link(store: Store, link_id: str) -> None:
    if link := store.belvo_links.get(link_id):
        store.tell_belvo(belvo_messages.removed(link, store.removals[link_id]))
    store.remove_belvo_link(link_id)


def _process(store: Store, end_user_id: str) -> None:
    user = store.end_users.get(end_user_id)
    if user and user.status == "ready":
        store.process(end_user_id, "processed")


def _change_status(store: Store, item_id: str) -> None:
    link = store.heron_links.get(item_id)
    if not link or not link.settles_at:
        return
    link.status, link.status_message = link.settles_as
    link.last_updated, link.settles_at = link.settles_at, None
    if link.status == "active":
        link.last_successful_sync = link.last_updated
        store.tell_of_end_user(link.end_user_id, "transactions_updated")
    elif link.status == "erroring":
        store.tell_heron(heron_messages.erroring(link))


TASKS: Mapping[Task, Callable[[Store, str], None]] = {
    Task.REMOVE_LINK: _remove_link,
    Task.REMOVE_END_USER: Store.remove_end_user,
    Task.PROCESS: _process,
    Task.CHANGE_STATUS: _change_status,
}


class Ticker(threading.Thread):
    """The thread that makes scheduled changes, so that webhooks are sent even without requests.

    It writes the state file, if there is one: changes within a pause are written together.
    """

    def __init__(self, store: Store, state_file: Path | None) -> None:
        super().__init__(name="simulator-ticker", daemon=True)
        self._store = store
        self._state_file = state_file

    def stop(self) -> None:
        """The store must be stopping."""
        self.join()
        self._store.save()
        self._write()

    def run(self) -> None:
        while not self._store.stopping.wait(PAUSE):
            catch_up(self._store)
            self._write()

    def _write(self) -> None:
        if self._state_file and self._store.is_changed:
            self._store.is_changed = False
            try:
                write(self._state_file, document(self._store))
            except OSError as error:
                logger.error("can't write the state file: %s", error)
