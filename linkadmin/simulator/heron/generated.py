"""Generated Heron end users and their links."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from linkadmin.simulator.clock import iso
from linkadmin.simulator.generated import DAY, Population, customers, moments

from .guide import ITEM_PREFIXES
from .records import PLAID_PULLS, HeronEndUser, HeronLink

FAILED_FOR = 30 * DAY  # seconds; no link failed longer ago
SILENT_FOR = (4 * DAY, 60 * DAY)  # seconds
REPORTED_FOR = 25 * DAY  # seconds; no asset report is older

# Company names: one word from each row.
FIRST = (
    "Amber", "Blue", "Bright", "Calm", "Clear", "Copper", "Coral", "Early", "Fair", "Fern", "Gentle", "Golden", "Grand",
    "Green", "High", "Hollow", "Indigo", "Ivory", "Jade", "Late", "Little", "Merry", "North", "Old", "Open", "Plain",
    "Quiet", "Red", "Silver", "South", "Violet", "Wild",
)  # fmt: skip
SECOND = (
    "Acorn", "Anchor", "Apple", "Arrow", "Aspen", "Badger", "Barley", "Beacon", "Birch", "Brook", "Canyon", "Cedar",
    "Cherry", "Clover", "Comet", "Crane", "Creek", "Dune", "Eagle", "Elm", "Falcon", "Field", "Finch", "Forest", "Fox",
    "Garden", "Harbour", "Hazel", "Heron", "Hill", "Island", "Juniper", "Lake", "Lantern", "Laurel", "Lily", "Maple",
    "Marsh", "Meadow", "Mill", "Moon", "Moss", "Mountain", "Oak", "Olive", "Orchard", "Otter", "Owl", "Palm", "Pebble",
    "Pine", "Prairie", "River", "Robin", "Rose", "Sage", "Shore", "Sparrow", "Spring", "Star", "Stone", "Valley",
    "Willow", "Wren",
)  # fmt: skip
THIRD = (
    "Bakery", "Bikes", "Books", "Builders", "Catering", "Cleaning", "Clinic", "Clothing", "Coffee", "Dental", "Design",
    "Electric", "Farms", "Fitness", "Florist", "Foods", "Freight", "Furniture", "Glass", "Hardware", "Imports",
    "Kitchens", "Logistics", "Motors", "Optics", "Painting", "Pharmacy", "Plumbing", "Roofing", "Studio", "Tools",
    "Travel",
)  # fmt: skip
WORDS = (FIRST, SECOND, THIRD)


@dataclass(frozen=True, slots=True)
class HeronCondition:
    """A link's condition and the share of links in it."""

    share: float
    status: str
    message: str | None = None
    silent: bool = False


_MESSAGES = {item_prefix.prefix: item_prefix.message for item_prefix in ITEM_PREFIXES}
CONDITIONS = (
    HeronCondition(0.952, "active"),
    HeronCondition(0.003, "active", _MESSAGES["conflict-"]),
    HeronCondition(0.025, "active", silent=True),
    HeronCondition(0.006, "erroring", _MESSAGES["login-required-"]),
    HeronCondition(0.0015, "erroring", _MESSAGES["locked-"]),
    HeronCondition(0.002, "erroring", _MESSAGES["bank-down-"]),
    HeronCondition(0.001, "erroring", _MESSAGES["no-accounts-"]),
    HeronCondition(0.001, "erroring", _MESSAGES["revoked-"]),
    HeronCondition(0.0005, "erroring", _MESSAGES["new-code-"]),
    HeronCondition(0.0005, "erroring", _MESSAGES["no-code-"]),
    HeronCondition(0.0005, "erroring"),
    HeronCondition(0.003, "erroring", "[INVALID_MFA] the provided MFA response(s) were not correct"),
    HeronCondition(0.002, "sync_disabled"),
    HeronCondition(0.002, "deleted_in_plaid"),
)
PULLED, REPORTED = ("itg_sandbox_transactions", "plaid_integration"), ("itg_sandbox_assets", "plaid_assets_report")
PLACES = {PULLED: 0.9, REPORTED: 0.1}
END_USERS = {
    ("processed", False): 0.86,
    ("processed", True): 0.05,
    ("reviewed", False): 0.05,
    ("review_requested", False): 0.01,
    ("new", False): 0.02,
    ("failed", False): 0.01,
}  # status, is_portfolio: share


def heron_links(population: Population, until: float, now: float) -> Iterator[tuple[HeronLink, HeronEndUser | None]]:
    """Yield links, oldest first, each with its end user unless an earlier link had it."""
    rng, size = Random(f"{population.seed}/heron links"), population.heron_links  # noqa: S311 - has to be repeatable
    conditions = rng.choices(CONDITIONS, [each.share for each in CONDITIONS], k=size)
    places = rng.choices(list(PLACES), list(PLACES.values()), k=size)
    owners = customers(population.seed, size)
    latest = ""
    for condition, place, owner, created in zip(conditions, places, owners, moments(rng, size, until), strict=True):
        fetched, changed = _moments(rng.random(), condition, created, until, now if place == PULLED else None)
        link = HeronLink(
            item_id=f"{rng.getrandbits(120):030x}",
            end_user_id=owner,
            integration=place[0],
            status=condition.status,
            status_message=condition.message,
            created=iso(created),
            last_updated=iso(changed),
            last_successful_sync=iso(fetched),
            type=place[1],
            data_source_heron_id=f"dso_{rng.getrandbits(88):022x}",
            silent=condition.silent,
        )
        yield link, _end_user(rng, link, (created + until) / 2) if owner != latest else None
        latest = owner


def _moments(
    part: float, condition: HeronCondition, created: float, until: float, pulled_by: float | None
) -> tuple[float, float]:
    """Return when a link last synced and last changed: working links sync every day, asset reports now and then."""
    if condition.status != "active":
        failed = max(created, until - part * FAILED_FOR)
        return max(created, failed - part * DAY), failed
    shortest, longest = SILENT_FOR if condition.silent else (0, REPORTED_FOR)
    synced = max(created, until - shortest - part * (longest - shortest))
    if pulled_by is not None and not condition.silent:
        pause = PLAID_PULLS.total_seconds()
        synced = created + (pulled_by - created) // pause * pause
    return synced, synced


def _end_user(rng: Random, first: HeronLink, touched: float) -> HeronEndUser:
    ((status, is_portfolio),) = rng.choices(list(END_USERS), list(END_USERS.values()))
    return HeronEndUser(
        end_user_id=first.end_user_id,
        heron_id=f"eus_{rng.getrandbits(88):022x}",
        name=company(rng),
        status=status,
        is_portfolio=is_portfolio,
        created=first.created,
        last_updated=iso(touched),
        last_processed_at=None if status == "new" else iso(touched),
    )


def company(rng: Random) -> str:
    return " ".join(map(rng.choice, WORDS))
