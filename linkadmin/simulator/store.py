"""The simulator's store: what the providers know. One lock guards it, and nobody sleeps while holding it."""

import base64
import hashlib
import hmac
import secrets
import threading
from collections import defaultdict
from dataclasses import replace
from enum import StrEnum, auto

from .belvo import messages as belvo_messages
from .belvo.generated import belvo_links
from .belvo.institutions import INSTITUTIONS, Institution
from .belvo.records import PRACTICE_AUTHORIZATION, BelvoLink, Consent, LoginAttempt, PortalVisit, WidgetVisit
from .clock import LeadClock, iso, seconds
from .deliveries import Deliveries, Delivery
from .generated import DAY, EMPTY, Population
from .heron import messages as heron_messages
from .heron.generated import heron_links
from .heron.guide import STATUS_CHANGE_AFTER
from .heron.records import PRACTICE_SECRET, HeronEndUser, HeronIntegration, HeronLink, Webhook
from .outcomes import Ask
from .plaid import messages as plaid_messages
from .plaid.records import LinkToken
from .wire import ConnectionCut

REMOVED_AFTER = 4  # seconds from accepting an asynchronous removal to its end
PROCESSED_AFTER = 3  # seconds from an end user's status ready to processed
INTEGRATIONS = {
    "itg_sandbox_transactions": {"name": "Plaid sandbox, transactions", "resource": "transaction"},
    "itg_sandbox_assets": {"name": "Plaid sandbox, asset reports", "resource": "assets_report"},
}


class Task(StrEnum):
    """What a provider does some time after a request."""

    REMOVE_LINK = auto()
    REMOVE_END_USER = auto()
    PROCESS = auto()
    CHANGE_STATUS = auto()


class Store:
    """Everything the providers know, as plain records, and their clock.

    Links, consents and end users are in order of creation.
    """

    def __init__(self, clock: LeadClock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.is_changed = False  # since the state file was written
        self.stopping = threading.Event()
        self.renewed_at = 0.0  # seconds since 1970
        self.steps_passed = 0  # steps of time travel so far
        self.salt = secrets.token_hex(16)
        self.population = EMPTY
        self.institutions: dict[str, Institution] = {name: dict(bank) for name, bank in INSTITUTIONS.items()}
        self.belvo_links: dict[str, BelvoLink] = {}
        self.consents: dict[str, Consent] = {}  # by link, one for each open finance link
        self.attempts: dict[str, LoginAttempt] = {}
        self.widget_visits: dict[str, WidgetVisit] = {}  # by access token
        self.portal_visits: dict[str, PortalVisit] = {}
        self.end_users: dict[str, HeronEndUser] = {}
        self.heron_links: dict[str, HeronLink] = {}
        self._links_of: dict[str, list[str]] = defaultdict(list)  # by end user
        self.integrations = {key: HeronIntegration(heron_id=key, **about) for key, about in INTEGRATIONS.items()}
        self.webhooks: dict[str, Webhook] = {}
        self.belvo_url = ""  # URL for all of Belvo's webhooks, set in its dashboard; empty: none
        self.belvo_webhook_id = secrets.token_hex(16)
        self.belvo_authorization = PRACTICE_AUTHORIZATION
        self.heron_secret = PRACTICE_SECRET
        self.link_tokens: dict[str, LinkToken] = {}
        self.plaid_url = ""  # URL of the webhooks of all items; empty: none
        self.plaid_key = plaid_messages.SigningKey()
        self.deliveries = Deliveries()
        self.due: dict[tuple[Task, str], float] = {}  # task and ID: when it's due (seconds since 1970)
        self.removals: dict[str, str] = {}  # by link, the request that asked for its removal

    def generate(self, population: Population) -> None:
        now = self.clock()
        until = now // DAY * DAY if population.until is None else population.until
        self.population = replace(population, until=until)
        for link, consent in belvo_links(population, until, now):
            self.belvo_links[link.id] = link
            if consent:
                self.consents[link.id] = consent
        for item, user in heron_links(population, until, now):
            if user:
                self.end_users[user.end_user_id] = user
            self.add_heron_link(item)

    def now(self) -> str:
        return iso(self.clock())

    def wait(self, delay: float) -> None:
        if delay and self.stopping.wait(delay):
            raise ConnectionCut

    def save(self) -> None:
        """Note that the state file may be out of date."""
        self.is_changed = True

    def set_webhooks(
        self,
        *,
        belvo_url: str | None = None,
        belvo_authorization: str | None = None,
        heron_secret: str | None = None,
        plaid_url: str | None = None,
    ) -> None:
        """Set the URLs of Belvo's and Plaid's webhooks (empty: none) and secrets; None changes nothing.

        Raises ValueError.
        """
        for text in (belvo_authorization, heron_secret):
            if text is not None and not (text and text.isascii() and text.isprintable()):
                raise ValueError("authorization and secret are printable texts of ASCII")
        with self.lock:
            self.belvo_url = self.belvo_url if belvo_url is None else belvo_url
            self.belvo_authorization = belvo_authorization or self.belvo_authorization
            self.heron_secret = heron_secret or self.heron_secret
            self.plaid_url = self.plaid_url if plaid_url is None else plaid_url

    def tell_belvo(self, *events: belvo_messages.BelvoEvent) -> None:
        for event in events if self.belvo_url else ():
            self.deliveries.add(
                Delivery(
                    provider="belvo",
                    topic=event.topic,
                    about=event.link.id,
                    url=self.belvo_url,
                    made_at=self.now(),
                    headers={"Authorization": self.belvo_authorization},
                    body=event.body(self.belvo_webhook_id),
                    pauses=belvo_messages.PAUSES,
                )
            )

    def tell_heron(self, event: heron_messages.HeronEvent) -> None:
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

    def tell_plaid(self, event: plaid_messages.PlaidEvent) -> None:
        if self.plaid_url:
            self.deliveries.add(
                Delivery(
                    provider="plaid",
                    topic=event.topic,
                    about=event.about,
                    url=self.plaid_url,
                    made_at=self.now(),
                    headers={plaid_messages.VERIFICATION: self.plaid_key.sign(event.body)},
                    body=event.body,
                    pauses=plaid_messages.PAUSES,
                )
            )

    def tell_of_end_user(self, end_user_id: str, what: str) -> None:
        if user := self.end_users.get(end_user_id):
            self.tell_heron(heron_messages.of_end_user(user, what))

    def bank(self, link: BelvoLink) -> Institution:
        return self.institutions[link.institution]

    def institution_user_id(self, institution: str, username: str) -> str:
        """Return a salted digest for a person at an institution: 44 characters, not reversible."""
        person = f"{institution}\n{username}".encode()
        return base64.urlsafe_b64encode(hmac.digest(bytes.fromhex(self.salt), person, hashlib.sha256)).decode()

    def twin(self, institution_user_id: str) -> BelvoLink | None:
        """Find the completed link of the same person at the same institution."""
        same = (link for link in self.belvo_links.values() if link.institution_user_id == institution_user_id)
        return next((link for link in same if link.status != "unconfirmed"), None)

    def open_attempt(self, link: BelvoLink, ask: Ask, *, as_array: bool, registering: bool) -> LoginAttempt:
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
        self.attempts = {session: attempt for session, attempt in self.attempts.items() if attempt.link_id != link_id}

    def remove_belvo_link(self, link_id: str) -> None:
        for records in (self.belvo_links, self.consents, self.removals):
            records.pop(link_id, None)
        self.due.pop((Task.REMOVE_LINK, link_id), None)
        self.drop_attempts(link_id)

    def remove_end_user(self, end_user_id: str) -> None:
        # The documentation doesn't mention the end user's links; here they're removed too.
        for link in self.links_of(end_user_id):
            del self.heron_links[link.item_id]
        self.end_users.pop(end_user_id, None)
        for task in (Task.REMOVE_END_USER, Task.PROCESS):
            self.due.pop((task, end_user_id), None)

    def end_user(self, key: str) -> HeronEndUser | None:
        return self.end_users.get(key) or next((user for user in self.end_users.values() if user.heron_id == key), None)

    def process(self, end_user_id: str, status: str) -> None:
        if user := self.end_users.get(end_user_id):
            user.status, user.last_processed_at, user.last_updated = status, self.now(), self.now()
            self.tell_of_end_user(end_user_id, status)

    def add_heron_link(self, link: HeronLink) -> None:
        self.heron_links[link.item_id] = link
        self._links_of[link.end_user_id].append(link.item_id)
        if link.settles_at:
            self.due[Task.CHANGE_STATUS, link.item_id] = seconds(link.settles_at)

    def links_of(self, end_user_id: str) -> list[HeronLink]:
        links = (self.heron_links.get(item_id) for item_id in dict.fromkeys(self._links_of.get(end_user_id, ())))
        return [link for link in links if link and link.end_user_id == end_user_id]

    def switch_off(self, end_user_id: str, integration: str) -> None:
        for link in self.links_of(end_user_id):
            if link.integration == integration:
                link.status, link.status_message, link.settles_at = "sync_disabled", None, None
                link.last_updated = self.now()

    def change_status_later(self, link: HeronLink, status: str, message: str | None) -> None:
        moment = self.clock() + STATUS_CHANGE_AFTER
        link.settles_at, link.settles_as = iso(moment), (status, message)
        self.due[Task.CHANGE_STATUS, link.item_id] = moment
