"""The world of the simulator: what the two providers know. One lock guards it, and nobody sleeps while holding it."""

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterable

from . import belvo_messages, heron_messages
from .clock import LeadClock, iso, seconds
from .crowds import Crowds
from .deliveries import Deliveries, Delivery
from .drill import Ask
from .heron_drill import SETTLES_AFTER
from .institutions import INSTITUTIONS, Institution
from .overlay import Overlay
from .records import (
    PRACTICE_SECRET,
    BelvoLink,
    BelvoWebhook,
    Consent,
    EndUser,
    HeronLink,
    Integration,
    LoginAttempt,
    Webhook,
)
from .wire import ConnectionCut

INTEGRATIONS = {
    "itg_sandbox_transactions": {"name": "Plaid sandbox, transactions", "resource": "transaction"},
    "itg_sandbox_assets": {"name": "Plaid sandbox, asset reports", "resource": "assets_report"},
}


class World:
    """Everything the two providers know, and the clock they look at.

    What is in the dictionaries is kept. Below it lie generated links and end users, which `links`, `items` and
    `customers` find as well: look at one with `find`, but `take` it to change it.
    """

    def __init__(self, clock: LeadClock, crowds: Crowds) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.changed = threading.Event()
        self.stopping = threading.Event()
        self.renewed_at = 0.0  # seconds since 1970
        self.lived = 0  # steps of its life that passed on request
        self.salt = secrets.token_hex(16)
        self.institutions: dict[str, Institution] = {name: dict(bank) for name, bank in INSTITUTIONS.items()}
        self.belvo_links: dict[str, BelvoLink] = {}
        self.attempts: dict[str, LoginAttempt] = {}
        self.end_users: dict[str, EndUser] = {}
        self.heron_links: dict[str, HeronLink] = {}
        self.populate(crowds)
        self._items_of: dict[str, list[str]] = {}  # by end user, the items that were not generated
        self._unsettled: dict[str, HeronLink] = {}
        self.integrations = {key: Integration(heron_id=key, **about) for key, about in INTEGRATIONS.items()}
        self.webhooks: dict[str, Webhook] = {}
        self.belvo_webhook = BelvoWebhook()
        self.heron_secret = PRACTICE_SECRET
        self.deliveries = Deliveries()
        self.consents: dict[str, Consent] = {}  # by link; a link of open finance without one has the usual
        # What goes or ends by itself, and when (seconds since 1970); a restart of the simulator ends it at once.
        self.leaving_links: dict[str, float] = {}
        self.removals: dict[str, str] = {}  # by link, the request that asked for it to go
        self.leaving_users: dict[str, float] = {}
        self.processing: dict[str, float] = {}

    def populate(self, crowds: Crowds) -> None:
        """Lay generated records under the kept ones."""
        self.crowds = crowds
        self.links = Overlay(crowds.links, self.belvo_links)
        self.items = Overlay(crowds.items, self.heron_links)
        self.customers = Overlay(crowds.customers, self.end_users)

    def now(self) -> str:
        return iso(self.clock())

    def wait(self, delay: float) -> None:
        """Let `delay` seconds pass, as a slow bank does. Raises ConnectionCut when the server stops meanwhile."""
        if delay and self.stopping.wait(delay):
            raise ConnectionCut

    def save(self) -> None:
        """Note that something worth keeping has changed."""
        self.changed.set()

    def tell_belvo(self, *events: belvo_messages.Event) -> None:
        """Send events to the address that Belvo was given, if it was."""
        receiver = self.belvo_webhook
        for event in events if receiver.url else ():
            self.deliveries.add(
                Delivery(
                    provider="belvo",
                    topic=event.topic,
                    about=event.link.id,
                    url=receiver.url,
                    made_at=self.now(),
                    headers={"Authorization": receiver.authorization},
                    body=event.body(receiver.webhook_id),
                    pauses=belvo_messages.PAUSES,
                )
            )

    def tell_heron(self, event: heron_messages.Event) -> None:
        """Send an event to each enabled subscription of its topic."""
        now = self.now()
        body = event.body(now)
        signature = {heron_messages.SIGNATURE: heron_messages.signature(body, self.heron_secret)}
        for webhook in self.webhooks.values():
            if webhook.is_enabled and webhook.topic == event.topic:
                self.deliveries.add(
                    Delivery(
                        provider="heron",
                        topic=event.topic,
                        about=event.about,
                        url=webhook.url,
                        made_at=now,
                        headers={**(webhook.headers or {}), **signature},
                        body=body,
                        pauses=heron_messages.PAUSES,
                    )
                )

    def tell_of_end_user(self, end_user_id: str, what: str) -> None:
        if user := self.customers.find(end_user_id):
            self.tell_heron(heron_messages.of_end_user(user, what))

    def bank(self, link: BelvoLink) -> Institution:
        """Return the institution of a link."""
        return self.institutions[link.institution]

    def institution_user_id(self, institution: str, username: str) -> str:
        """Name a person at an institution by a salted digest: 44 characters, and no way back to the username."""
        person = f"{institution}\n{username}".encode()
        return base64.urlsafe_b64encode(hmac.digest(bytes.fromhex(self.salt), person, hashlib.sha256)).decode()

    def twin(self, institution_user_id: str) -> BelvoLink | None:
        """Find the finished link of the same person at the same institution."""
        same = (link for link in self.belvo_links.values() if link.institution_user_id == institution_user_id)
        return next((link for link in same if link.status != "unconfirmed"), None)

    def open_attempt(self, link: BelvoLink, ask: Ask, *, as_array: bool, registering: bool) -> LoginAttempt:
        """Start to wait for a code; an older attempt of the same link is void."""
        self.drop_attempts(link.id)
        attempt = LoginAttempt(
            session=secrets.token_hex(16),
            link_id=link.id,
            ask=ask,
            expires_at=self.clock() + ask.lifetime,
            as_array=as_array,
            registering=registering,
        )
        self.attempts[attempt.session] = attempt
        return attempt

    def drop_attempts(self, link_id: str) -> None:
        self.attempts = {session: kept for session, kept in self.attempts.items() if kept.link_id != link_id}

    def remove_belvo_link(self, link_id: str) -> None:
        """Forget a link with all that hangs on it."""
        self.links.take(link_id)
        self.belvo_links.pop(link_id, None)
        self.consents.pop(link_id, None)
        self.leaving_links.pop(link_id, None)
        self.removals.pop(link_id, None)
        self.drop_attempts(link_id)
        self.save()

    def remove_end_user(self, end_user_id: str) -> None:
        """Forget an end user. No document says what becomes of the links; here they go as well."""
        links = self.take_links_of(end_user_id)
        self.customers.take(end_user_id)
        self.end_users.pop(end_user_id, None)
        for pending in (self.leaving_users, self.processing):
            pending.pop(end_user_id, None)
        for link in links:
            del self.heron_links[link.item_id]
            self._unsettled.pop(link.item_id, None)
        self.save()

    def end_user(self, key: str) -> EndUser | None:
        """Find an end user by either of its ids, to look at it."""
        return self.customers.find(key) or next((u for u in self.end_users.values() if u.heron_id == key), None)

    def add_heron_link(self, link: HeronLink) -> None:
        self.items.keep(link.item_id, link)
        self._items_of.setdefault(link.end_user_id, []).append(link.item_id)
        if link.settles_at:
            self._unsettled[link.item_id] = link

    def links_of(self, end_user_id: str) -> list[HeronLink]:
        """Return the links of an end user, to look at them."""
        self.settle()
        links = map(self.items.find, self._items(end_user_id))
        return [link for link in links if link and link.end_user_id == end_user_id]

    def take_links_of(self, end_user_id: str) -> list[HeronLink]:
        """Return the links of an end user, to change them."""
        return [link for each in self.links_of(end_user_id) if (link := self.items.take(each.item_id))]

    def statuses_of(self, end_user_id: str) -> list[str]:
        """Return the statuses of an end user's links."""
        numbers = self._generated(end_user_id)
        if end_user_id in self._items_of or any(number in self.items.taken for number in numbers):
            return [link.status for link in self.links_of(end_user_id)]
        return [self.crowds.items.status(number) for number in numbers]

    def _items(self, end_user_id: str) -> Iterable[str]:
        generated = map(self.crowds.items.key, self._generated(end_user_id))
        return dict.fromkeys([*generated, *self._items_of.get(end_user_id, ())])

    def _generated(self, end_user_id: str) -> range:
        number = self.crowds.customers.number(end_user_id)
        return range(0) if number is None else self.crowds.customers.links(number)

    def take_links_in(self, integration: str) -> list[HeronLink]:
        """Return the links of an integration, to change them: as many as there are."""
        self.settle()
        for number in self.crowds.items.of_integration(integration):
            self.items.take(self.crowds.items.key(number))
        return [link for link in self.heron_links.values() if link.integration == integration]

    def take_link_behind(self, source: str) -> HeronLink | None:
        """Find the link behind a data source, to change it."""
        number = self.crowds.items.of_source(source)
        if number is not None:
            return self.items.take(self.crowds.items.key(number))
        return next((link for link in self.heron_links.values() if link.data_source_heron_id == source), None)

    def settle(self) -> None:
        """Let the links that are due take the status and message that they were to take."""
        for link in list(self._unsettled.values()):
            if link.settles_at is None or seconds(link.settles_at) <= self.clock():
                del self._unsettled[link.item_id]
            if link.settles_at and seconds(link.settles_at) <= self.clock():
                self._settle(link, link.settles_at)

    def _settle(self, link: HeronLink, moment: str) -> None:
        link.status, link.status_message = link.settles_as
        link.last_updated, link.settles_at = moment, None
        if link.status == "active":
            link.last_successful_sync = moment
            self.tell_of_end_user(link.end_user_id, "transactions_updated")
        elif link.status == "erroring":
            self.tell_heron(heron_messages.erroring(link))
        self.save()

    def settle_later(self, link: HeronLink, status: str, message: str | None) -> None:
        link.settles_at = iso(self.clock() + SETTLES_AFTER)
        link.settles_as = (status, message)
        self._unsettled[link.item_id] = link
