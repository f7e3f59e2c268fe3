"""Belvo: the consents behind links of open finance, list and detail.

The answer is the documented one, with one field of ours: `link`. No document tells how a consent is traced to its
link other than by the webhooks, which name both, so a true answer may lack it. The documents call the parameter
`user_document` required and in the same breath say that without any parameter all consents are listed: here it is
optional. The filters `link`, `status`, `institution` and `id` are ours, in the manner of the other lists.

A link of open finance has the usual consent, for a year from its registration, unless another one was planted or
one of the usernames below was typed. No typed document number is kept: each link is given an invented one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from . import belvo_messages as messages
from .clock import iso, seconds
from .filters import Filter, passes
from .institutions import OPEN_FINANCE
from .overlay import Roll
from .records import BelvoLink, Consent
from .state import World

YEAR = timedelta(days=365)
NOTICE = 7 * 86_400  # seconds before the end of a consent that Belvo tells of it
FILTERS = {
    "user_document": ("document_number", ""),
    "id": ("id", ""),
    "link": ("link", ""),
    "status": ("status", ""),
    "status__in": ("status", "in"),
    "institution": ("belvo_institution_name", ""),
    "institution__in": ("belvo_institution_name", "in"),
}
_OF_LINK = {"link": "id", "belvo_institution_name": "institution"}  # what can be asked of the link itself
_MIRROR = str.maketrans("0123456789abcdef", "fedcba9876543210")
# By the names of the open finance network of Brazil.
PERMISSIONS = {
    "ACCOUNTS": ["ACCOUNTS_READ", "ACCOUNTS_BALANCES_READ", "ACCOUNTS_TRANSACTIONS_READ"],
    "CREDIT_CARDS": ["CREDIT_CARDS_ACCOUNTS_READ", "CREDIT_CARDS_ACCOUNTS_BILLS_READ"],
    "CREDIT_OPERATIONS": ["LOANS_READ", "FINANCINGS_READ"],
    "REGISTER": ["CUSTOMERS_PERSONAL_IDENTIFICATIONS_READ"],
    "RESOURCES": ["RESOURCES_READ"],
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A CPF that, typed as the username, leads to a consent of a certain kind."""

    username: str
    says: str
    status: str
    lasts: timedelta | None = YEAR  # None: for ever


TYPED = (
    Typed("10000000001", "awaiting authorisation", "AWAITING_AUTHORISATION"),
    Typed("10000000002", "awaiting confirmation in the bank's app", "AWAITING_AUTHORISATION_CONFIRMATION"),
    Typed("10000000003", "rejected", "REJECTED"),
    Typed("10000000004", "expired an hour ago", "EXPIRED", timedelta(hours=-1)),
    Typed("10000000005", "authorised for three more days", "AUTHORISED", timedelta(days=3)),
    Typed("10000000006", "authorised without an end", "AUTHORISED", None),
)


def grant(world: World, link: BelvoLink, username: str) -> None:
    """Give a new link the consent that its username asks for. The world's lock is held here."""
    typed = next((each for each in TYPED if each.username == username), None)
    if typed and is_open_finance(world, link):
        end = iso(world.clock() + typed.lasts.total_seconds()) if typed.lasts else None
        world.consents[link.id] = Consent(link.id, typed.status, created_at=link.created_at, expired_at=end)


def end_now(world: World, link: BelvoLink) -> None:
    """Let the consent of a link end now; from then on nothing is fetched. The world's lock is held here."""
    consent = world.consents.get(link.id) or _usual(world, link)
    world.consents[link.id] = replace(consent, status="EXPIRED", expired_at=world.now())
    link.silent = True
    world.tell_belvo(messages.consent_ended(link, world.bank(link), consent))


def revoke_now(world: World, link: BelvoLink) -> None:
    """Let the customer take the consent of a link back; nobody is told. The world's lock is held here."""
    consent = world.consents.get(link.id) or _usual(world, link)
    world.consents[link.id] = replace(consent, status="REJECTED")
    link.silent = True


def authorise(world: World, link: BelvoLink) -> None:
    """Let a consent that has ended or was taken back begin anew, for a year. The world's lock is held here."""
    if link.id in world.consents and world.consents[link.id].status in ("EXPIRED", "REJECTED"):
        expired_at = iso(world.clock() + YEAR.total_seconds())
        world.consents[link.id] = replace(world.consents[link.id], status="AUTHORISED", expired_at=expired_at)


def announce(world: World, since: float, until: float) -> None:
    """Tell of each consent that ended between two moments or came near its end. The world's lock is held here."""
    for link, consent in _ending(world, since, until):
        world.tell_belvo(messages.consent_ended(link, world.bank(link), consent))
    for link, consent in _ending(world, since + NOTICE, until + NOTICE):
        world.tell_belvo(messages.consent_ending(link, world.bank(link), consent))


def is_open_finance(world: World, link: BelvoLink) -> bool:
    return bool(world.bank(link)["integration_type"] == OPEN_FINANCE)


def listed(world: World, wishes: Sequence[Filter], start: int, end: int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many consents pass, and a page of them, the newest link first. The world's lock is held here."""
    roll = _links(world, wishes)
    others = [wish for wish in wishes if wish.field not in _OF_LINK]
    if not others:
        return len(roll), [_of(world, row) for row in roll.page(start, end, backwards=True)]
    rows = (_of(world, row) for row in roll.page(0, len(roll), backwards=True))
    kept = [row for row in rows if all(wish.passes(row[wish.field]) for wish in others)]
    return len(kept), kept[start:end]


def find(world: World, consent_id: str) -> dict[str, Any] | None:
    """Find a consent as the API shows it. The world's lock is held here."""
    planted = (consent.link for consent in world.consents.values() if consent.id == consent_id)
    link = world.links.find(next(planted, _mirrored(consent_id)))
    consent = _of(world, link) if link and is_open_finance(world, link) else None
    return consent if consent and consent["id"] == consent_id else None


def _links(world: World, wishes: Sequence[Filter]) -> Roll[BelvoLink]:
    """All links of open finance that may have the consents that are wanted."""
    banks = ",".join(name for name, bank in world.institutions.items() if bank["integration_type"] == OPEN_FINANCE)
    of_link = (Filter(_OF_LINK[wish.field], wish.how, wish.text) for wish in wishes if wish.field in _OF_LINK)
    filters = (Filter("institution", "in", banks), *of_link)
    kept = [link for link in world.belvo_links.values() if passes(link, filters)]
    crowd = world.crowds.links
    return Roll(crowd.select(filters), world.links.taken, kept, lambda link: (link.created_at, link.id), crowd.before)


def _of(world: World, row: int | BelvoLink) -> dict[str, Any]:
    link = world.crowds.links.record(row) if isinstance(row, int) else row
    return _shown(world, link, world.consents.get(link.id) or _usual(world, link))


def _ending(world: World, since: float, until: float) -> Iterator[tuple[BelvoLink, Consent]]:
    """Find the authorised consents of recurrent links that end after one moment and not after another."""
    first, last = (world.crowds.links.before(iso(each - YEAR.total_seconds())) for each in (since, until))
    generated = range(first, min(last + 1, world.crowds.links.size))
    usual = filter(None, map(world.links.at, generated))
    others = filter(None, map(world.links.find, (*world.links.others(), *world.consents)))
    for link in {each.id: each for each in (*usual, *others)}.values():
        consent = world.consents.get(link.id) or _usual(world, link)
        awaited = consent.status == "AUTHORISED" and link.access_mode == "recurrent" and is_open_finance(world, link)
        if awaited and consent.expired_at and since < seconds(consent.expired_at) <= until:
            yield link, consent


def _usual(world: World, link: BelvoLink) -> Consent:
    made, year, status = seconds(link.created_at), YEAR.total_seconds(), "AUTHORISED"
    end = made + year
    if link.status == "unconfirmed":
        status = "AWAITING_AUTHORISATION"
    elif world.crowds.links.number(link.id) is not None:  # generated: its customer renews it each year, or did not
        end = made + year * (1 + (world.clock() - made) // year)
        if link.status == "invalid":
            status = "REJECTED"
        elif link.silent and link.last_accessed_at:
            status, end = "EXPIRED", seconds(link.last_accessed_at)
    return Consent(link.id, status, _mirrored(link.id), link.created_at, iso(end))


def _mirrored(text: str) -> str:
    """Turn a link's id into that of its usual consent, and back."""
    return text[:-12] + text[-12:].translate(_MIRROR)


def _shown(world: World, link: BelvoLink, consent: Consent) -> dict[str, Any]:
    end = consent.expired_at
    over = consent.status == "AUTHORISED" and end is not None and seconds(end) <= world.clock()
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


def _document_number(link: BelvoLink) -> str:
    """Invent eleven digits, the same for all links of a person at an institution."""
    person = link.institution_user_id or link.id
    return f"{int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10**11:011}"
