"""Belvo: consents of open finance links, list and detail.

The response is the documented one plus our own field `link`. The documentation doesn't say how to find a consent's
link, except through webhooks, which name both, so real responses may lack it. The documentation calls the parameter
`user_document` required, but also says that all consents are listed without parameters. Here it's optional. The filters
`link`, `status`, `institution` and `id` are ours and work like those of the other lists.

An open finance link gets a consent for one year from its creation, or a different one for the usernames below. Document
numbers aren't stored: each link gets an invented one.

Callers hold the store's lock.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from linkadmin.simulator.clock import iso, seconds
from linkadmin.simulator.store import Store

from . import messages
from .institutions import OPEN_FINANCE
from .records import BelvoLink, Consent

YEAR = timedelta(days=365)
RENEWAL = timedelta(days=30)  # before a consent ends
NOTICE = 7 * 86_400  # seconds before a consent ends at which Belvo sends a webhook
FILTERS = {
    "user_document": ("document_number", ""),
    "id": ("id", ""),
    "link": ("link", ""),
    "status": ("status", ""),
    "status__in": ("status", "in"),
    "institution": ("belvo_institution_name", ""),
    "institution__in": ("belvo_institution_name", "in"),
}
# Status names as in Brazil's open finance network.
PERMISSIONS = {
    "ACCOUNTS": ["ACCOUNTS_READ", "ACCOUNTS_BALANCES_READ", "ACCOUNTS_TRANSACTIONS_READ"],
    "CREDIT_CARDS": ["CREDIT_CARDS_ACCOUNTS_READ", "CREDIT_CARDS_ACCOUNTS_BILLS_READ"],
    "CREDIT_OPERATIONS": ["LOANS_READ", "FINANCINGS_READ"],
    "REGISTER": ["CUSTOMERS_PERSONAL_IDENTIFICATIONS_READ"],
    "RESOURCES": ["RESOURCES_READ"],
}


@dataclass(frozen=True, slots=True)
class CpfUsername:
    """A CPF that leads to a specific consent when entered as the username."""

    username: str
    says: str
    status: str
    lasts: timedelta | None = YEAR  # None: never expires


CPF_USERNAMES = (
    CpfUsername("10000000001", "waiting for authorization", "AWAITING_AUTHORISATION"),
    CpfUsername("10000000002", "waiting for confirmation in the bank's app", "AWAITING_AUTHORISATION_CONFIRMATION"),
    CpfUsername("10000000003", "rejected", "REJECTED"),
    CpfUsername("10000000004", "expired an hour ago", "EXPIRED", timedelta(hours=-1)),
    CpfUsername("10000000005", "authorized for three more days", "AUTHORISED", timedelta(days=3)),
    CpfUsername("10000000006", "authorized with no expiry", "AUTHORISED", None),
)
ANY_OTHER = CpfUsername("", "authorized for a year", "AUTHORISED")


def grant(store: Store, link: BelvoLink, username: str = "") -> None:
    if is_open_finance(store, link):
        typed = next((each for each in CPF_USERNAMES if each.username == username), ANY_OTHER)
        status = "AWAITING_AUTHORISATION" if link.status == "unconfirmed" else typed.status
        end = iso(seconds(link.created_at) + typed.lasts.total_seconds()) if typed.lasts else None
        store.consents[link.id] = Consent(link.id, status, created_at=link.created_at, expired_at=end)


def end_now(store: Store, link: BelvoLink) -> None:
    consent = store.consents[link.id]
    consent.status, consent.expired_at, link.silent = "EXPIRED", store.now(), True
    store.tell_belvo(messages.of_consent(link, store.bank(link), consent, ended=True))


def revoke_now(store: Store, link: BelvoLink) -> None:
    # Belvo sends no webhook about this.
    store.consents[link.id].status, link.silent = "REJECTED", True


def authorise(store: Store, link: BelvoLink) -> None:
    if consent := store.consents.get(link.id):
        consent.status, consent.expired_at = "AUTHORISED", iso(store.clock() + YEAR.total_seconds())


def announce(store: Store, since: float, until: float) -> None:
    ended, ending = (iso(since), iso(until)), (iso(since + NOTICE), iso(until + NOTICE))
    for link, consent in _all(store):
        end = consent.expired_at
        if end is None or consent.status != "AUTHORISED" or link.access_mode != "recurrent":
            continue
        has_ended = ended[0] < end <= ended[1]
        if has_ended or ending[0] < end <= ending[1]:
            store.tell_belvo(messages.of_consent(link, store.bank(link), consent, ended=has_ended))


def is_open_finance(store: Store, link: BelvoLink) -> bool:
    return bool(store.bank(link)["integration_type"] == OPEN_FINANCE)


def listed(store: Store, link_id: str | None) -> Iterator[dict[str, Any]]:
    return (_shown(store, *each) for each in _all(store) if link_id in (None, each[0].id))


def find(store: Store, consent_id: str) -> dict[str, Any] | None:
    return next((_shown(store, link, consent) for link, consent in _all(store) if consent.id == consent_id), None)


def of_person(store: Store, cpf: str, *, business: bool) -> list[dict[str, Any]]:
    """Consents of a CPF: the one in the list, or the one that was entered when the link was created."""
    mine = [
        (link, consent)
        for link, consent in _all(store)
        if cpf == _document_number(link) or link.institution_user_id == store.institution_user_id(link.institution, cpf)
    ]
    return [_shown(store, *each) for each in mine if each[0].institution.endswith("_business") == business]


def to_renew(store: Store, most: int) -> list[dict[str, Any]]:
    """Consents that don't work, or not for much longer."""
    soon = iso(store.clock() + RENEWAL.total_seconds())
    shown = (_shown(store, *each) for each in _all(store))
    ending = (each for each in shown if each["status"] != "AUTHORISED" or (each["expired_at"] or soon) < soon)
    return list(islice(ending, most))


def _all(store: Store) -> Iterator[tuple[BelvoLink, Consent]]:
    links = reversed(store.belvo_links.values())
    return ((link, store.consents[link.id]) for link in links if link.id in store.consents)


def _document_number(link: BelvoLink) -> str:
    """Eleven invented digits, the same for all links of a person at an institution."""
    person = hashlib.sha256((link.institution_user_id or link.id).encode()).hexdigest()
    return f"{int(person, 16) % 10**11:011}"


def _shown(store: Store, link: BelvoLink, consent: Consent) -> dict[str, Any]:
    end = consent.expired_at
    over = consent.status == "AUTHORISED" and end is not None and seconds(end) <= store.clock()
    return {
        "id": consent.id,
        "display_name": "Cliente Simulado",
        "document_number": _document_number(link),
        "belvo_institution_name": link.institution,
        "expired_at": end,
        "undefined_consent_expiration": end is None,
        "created_at": consent.created_at,
        "status": "EXPIRED" if over else consent.status,
        "permissions": PERMISSIONS,
        "link": link.id,
    }
