"""Staff, integrations, institutions, customers and links."""

import random
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

from benchmarks.sizes import Size
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.integrations.models import Integration
from linkadmin.links.causes import STATES, VERDICTS
from linkadmin.links.models import EndUser, Institution, Link, LinkSearch
from linkadmin.providers.names import folded
from linkadmin.providers.types import Cause, HealthState

try:
    from linkadmin.links.search import INDEXES
except ImportError:  # an older product, measured with today's benchmark
    INDEXES = ()

from .table import CHUNK, NOW, Table, chance_of, dashed, loading, moment, new_id

CUSTOMERS_PER_LINK = 0.7
BANKS, INTEGRATIONS, STAFF = 200, 8, 25
BROKEN_BANKS = 6  # which fail five times as often
DAY = 86_400  # seconds
WORDS = "Amber Birch Cedar Délta Ember Fjord Grove Harbor Íris Juniper Kestrel Lumen Maple Nimbus Orchid Piñon"
TRADES = "Bakery Books Cycles Dental Foods Garden Legal Media Motors Optics Paper Roofing Studio Tools"
MIX: tuple[tuple[float, tuple[Cause, ...]], ...] = (
    (0.955, (Cause.WORKING,)),
    (0.025, (Cause.STALE,)),
    (0.013, (Cause.LOGIN_REFUSED, Cause.PASSWORD_WRONG, Cause.CONSENT_EXPIRED, Cause.ACCOUNT_LOCKED, Cause.BANK_DOWN)),
    (0.007, (Cause.CODE_NEEDED, Cause.SWITCHED_OFF)),
)
CAUSES = [cause for _share, group in MIX for cause in group]
SHARES = [share / len(group) for share, group in MIX for _cause in group]
FAILING = list(accumulate(share * (1 if cause is Cause.WORKING else 5) for cause, share in zip(CAUSES, SHARES)))  # noqa: B905
USUAL = list(accumulate(SHARES))
POPULAR_BANKS = list(accumulate(1 / rank**1.1 for rank in range(1, BANKS + 1)))
BUSY_STAFF = list(accumulate(1 / rank**0.8 for rank in range(1, STAFF + 1)))
LINK = (
    "id integration end_user institution assignee remote_id access_mode health cause health_since urgency last_good_at"
    " checked_at created_at disconnected_at renew_by verifying_since"
)


@dataclass(frozen=True, slots=True)
class Around:
    """What links refer to, as the database spells IDs."""

    staff: list[str]
    banks: list[list[tuple[str, str]]]  # institution and integration, the one with most of its links first
    customers: list[tuple[str, str, str]]  # ID, customer ID, name


def build(size: Size) -> None:
    chance = chance_of("links")
    for index in INDEXES:
        index.drop()
    with loading(EndUser, Link, LinkSearch):
        around = Around(_staff(), _banks(chance), _customers(chance, int(size.links * CUSTOMERS_PER_LINK)))
        links, texts, left = Table(Link, *LINK.split()), Table(LinkSearch, "link", "text"), size.links
        while left:
            rows = [_link(chance, around) for _ in range(min(CHUNK, left))]
            links.fill(row for row, _text in rows)
            texts.fill((row[0], text) for row, text in rows)
            left -= len(rows)
        for index in INDEXES:
            index.create()


def _staff() -> list[str]:
    names = [(f"staff{n:02}", f"Staff {n:02}") for n in range(STAFF)]
    staff = [User(username=username, name=name, roles=Role.MANAGER, password="!") for username, name in names]  # noqa: S106
    return [each.pk.hex for each in User.objects.bulk_create(staff)]


def _banks(chance: random.Random) -> list[list[tuple[str, str]]]:
    integrations = Integration.objects.bulk_create(
        Integration(provider=("belvo", "heron")[n % 2], name=f"Integration {n}", base_url="https://sandbox.belvo.com")
        for n in range(INTEGRATIONS)
    )
    banks, words = [], WORDS.split()
    for n in range(BANKS):
        home = integrations[n % INTEGRATIONS]
        others = chance.sample([each for each in integrations if each is not home], 2)
        name = f"Bank {words[n % len(words)]} {n:03}"
        banks.append(
            Institution.objects.bulk_create(
                Institution(integration=each, name=f"bank_{n:03}", display_name=name, kind="bank", country="MX")
                for each in (home, *others)
            )
        )
    return [[(each.pk.hex, each.integration_id.hex) for each in bank] for bank in banks]


def _customers(chance: random.Random, count: int) -> list[tuple[str, str, str]]:
    words, trades = WORDS.split(), TRADES.split()
    customers = [
        (new_id(chance), f"cus-{n:07}", f"{chance.choice(words)} {chance.choice(trades)} {n}") for n in range(count)
    ]
    table = Table(EndUser, "id", "external_id", "name", "search", "created_at")
    table.fill((pk, key, name, folded(f"{name} {key}"), moment(NOW)) for pk, key, name in customers)
    return customers


def _link(chance: random.Random, around: Around) -> tuple[tuple[object, ...], str]:
    """Return the row of a link and its search text."""
    customer, key, name = chance.choice(around.customers)
    bank = chance.choices(range(BANKS), cum_weights=POPULAR_BANKS)[0]
    institution, integration = around.banks[bank][0 if chance.random() < 0.9 else chance.randint(1, 2)]
    cause = chance.choices(CAUSES, cum_weights=FAILING if bank < BROKEN_BANKS else USUAL)[0]
    state = VERDICTS[cause].state
    since = NOW - timedelta(seconds=chance.random() * DAY * (7 if chance.random() < 0.6 else 730))
    good = NOW - timedelta(seconds=chance.random() * DAY) if cause is Cause.WORKING else since
    is_verifying = cause is Cause.WORKING and chance.random() < 0.001
    pk, remote = new_id(chance), dashed(new_id(chance))
    row = (
        pk,
        integration,
        customer,
        institution,
        chance.choices(around.staff, cum_weights=BUSY_STAFF)[0] if chance.random() < 0.3 else None,
        remote,
        "recurrent",
        state.value,
        cause.value,
        moment(since),
        STATES[HealthState.SETTING_UP if is_verifying else state].rank,
        moment(good),
        moment(NOW),
        moment(since - timedelta(days=30)),
        moment(since) if state is HealthState.DISCONNECTED else None,
        (NOW + timedelta(days=chance.randint(1, 90))).strftime("%Y-%m-%d") if chance.random() < 0.05 else None,
        moment(since) if is_verifying else None,
    )
    return row, f"{folded(f'{name} {key}')} {remote} {dashed(pk)}"
