"""Which demo customer has a link at which bank, and in which scenario."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from random import Random
from uuid import UUID, uuid5

from linkadmin.links.causes import VERDICTS
from linkadmin.providers.heron.answers import FRESH_FOR
from linkadmin.providers.types import Cause, HealthState

from .names import ACCOUNT_MANAGERS, CUSTOMERS_OF, HERON_BANKS, names_in
from .scenarios import BELVO, CODE_NEEDED, HERON, SCENARIOS, Scenario

FIRST_REPAIR = "Acme Corp"  # the customer whose link new users repair first; it leads the work list
FIRST_REPAIR_ID = "acme-001"
FIRST_REPAIR_BANK = "heimdall_mx_retail"  # asks for a code at every new sign-in

_NAMESPACE = UUID("6f0c7a52-58d5-4c1b-9a54-0d3f6f4b2e19")


@dataclass(slots=True)
class Customer:
    external_id: str
    name: str
    country: str
    banks: set[str] = field(default_factory=set)

    @property
    def account_manager_id(self) -> UUID | None:
        username = ACCOUNT_MANAGERS.get(self.country)
        return id_of("staff", username) if username else None


@dataclass(frozen=True, slots=True)
class Scene:
    """One link of the demo data."""

    number: int
    scenario: Scenario
    customer: Customer
    bank: str
    refresh_rate: str = ""  # of a recurrent Belvo link

    @property
    def link_id(self) -> UUID:
        return id_of("link", self.number)

    @property
    def belongs_to(self) -> dict[str, UUID]:
        provider = self.scenario.provider
        return {
            "integration_id": id_of("integration", provider),
            "end_user_id": id_of("end-user", self.customer.external_id),
            "institution_id": id_of(provider, self.bank),
        }

    @property
    def is_single(self) -> bool:
        return self.scenario.provider == BELVO and not self.refresh_rate

    @property
    def refresh_interval(self) -> timedelta:
        return timedelta(days=7 if self.refresh_rate == "7d" else 1)

    @property
    def fresh_for(self) -> timedelta | None:
        if self.scenario.provider == HERON:
            return FRESH_FOR["plaid_integration"]
        return None if self.is_single else 2 * self.refresh_interval + timedelta(days=1)

    @property
    def works(self) -> bool:
        """Whether the provider still fetches data. If not, our stored status must stay as it is."""
        return VERDICTS[self.scenario.cause].state is HealthState.HEALTHY

    @property
    def is_first_repair(self) -> bool:
        return self.customer.external_id == FIRST_REPAIR_ID


def id_of(kind: str, key: object) -> UUID:
    """Return an ID that's the same on every machine."""
    return uuid5(_NAMESPACE, f"{kind}:{key}")


def build_scenes(rng: Random) -> list[Scene]:
    """Give each scenario's links a customer and a bank: one problem per customer, working links for everyone.

    The first is the link that new users repair; its customer has no other.
    """
    customers = _customers(rng)
    waiting = customers[:]
    scenes = [Scene(0, CODE_NEEDED, Customer(FIRST_REPAIR_ID, FIRST_REPAIR, "MX"), FIRST_REPAIR_BANK, "7d")]
    open_scenes = [scenario for scenario in SCENARIOS for _ in range(scenario.count)]
    open_scenes.remove(CODE_NEEDED)
    troubled = [scenario for scenario in open_scenes if not _is_plain(scenario)]
    plain = [scenario for scenario in open_scenes if _is_plain(scenario)]
    # Scenarios at few banks come first, while customers of those countries are free.
    troubled.sort(key=lambda scenario: len(scenario.banks) or len(HERON_BANKS))
    for scenario in [*troubled, *plain]:
        candidates = _with_room(scenario, waiting) or _with_room(scenario, customers)
        customer = rng.choice(candidates)
        waiting = [each for each in waiting if each is not customer]
        bank = rng.choice(_banks_for(scenario, customer))
        customer.banks.add(bank)
        scenes.append(Scene(len(scenes), scenario, customer, bank, _refresh_rate(scenario, rng)))
        if not scenario.knows_customer:
            customers.remove(customer)
    return scenes


def _customers(rng: Random) -> list[Customer]:
    named = [
        (country, name) for country, count in CUSTOMERS_OF.items() for name in rng.sample(names_in(country), count)
    ]
    rng.shuffle(named)
    return [Customer(f"cus-{number}", name, country) for number, (country, name) in enumerate(named, 1001)]


def _refresh_rate(scenario: Scenario, rng: Random) -> str:
    if scenario.provider == HERON or scenario.storage_days:
        return ""
    rates = ("7d", "24h", "") if _is_plain(scenario) else ("7d",)
    return rng.choices(rates, (80, 10, 10)[: len(rates)])[0]


def _is_plain(scenario: Scenario) -> bool:
    return scenario.cause is Cause.WORKING


def _banks_for(scenario: Scenario, customer: Customer) -> list[str]:
    here = _by_country(scenario.banks or tuple(HERON_BANKS)).get(customer.country, [])
    return [name for name in here if name not in customer.banks]


@cache
def _by_country(banks: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in banks:
        found[HERON_BANKS.get(name) or name.split("_")[1].upper()].append(name)
    return dict(found)


def _with_room(scenario: Scenario, customers: Iterable[Customer]) -> list[Customer]:
    return [customer for customer in customers if _banks_for(scenario, customer)]
