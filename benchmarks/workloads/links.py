"""W1: the list of links, in units of F1, of its own first page, and of peers."""

from collections.abc import Iterator, Mapping

from benchmarks.engines import NotMeasured
from benchmarks.measure import Measured
from benchmarks.results import Goal, Limit, Result
from benchmarks.run import TABLES2, Case, Run

LIST = "/links/"
PART = {"HX_Request": "true", "HX_Target": "results"}
PAGE_1 = "page 1"
DEEP_ADMIN_PAGE = 0.9  # of all rows
# A query, and the parameter that an older product may not know: one that does refuses nonsense in it.
FILTERS: Mapping[str, tuple[str, str]] = {
    "status": ("state=customer_login", "state"),
    "two statuses": ("state=customer_login&state=customer_code", "state"),
    "disconnected": ("state=disconnected", "state"),
    "verifying": ("state=verifying", "state"),
    "integration": ("integration={integration}", "integration"),
    "institution": ("institution={institution}", "institution"),
    "rarest institution": ("institution={rare_institution}", "institution"),
    "one assignee": ("assigned={staff}", "assigned"),
    "nobody": ("assigned=nobody", "assigned"),
    "mine": ("assigned=mine&mine=1", ""),
    "older than 30 days": ("older=30", "older"),
    "consent ends within 30 days": ("consent=30", "consent"),
    "broken and institution": ("state=customer_login&institution={institution}", "state"),
    "rare pair": ("state=customer_code&institution={rare_institution}", "state"),
    "mine and integration": ("assigned=mine&mine=1&integration={integration}", ""),
    "nobody and older": ("assigned=nobody&older=7", "assigned"),
    **{
        f"sort by {sort}": (f"sort={sort}", "sort")
        for name in ("since", "sync", "customer", "attention")
        for sort in (name, f"-{name}")
        if sort != "attention"
    },
    "sort by sync, institution": ("sort=sync&institution={institution}", "sort"),
    "sort by customer, mine": ("sort=customer&assigned=mine", "sort"),
}


def measure(run: Run) -> list[Result]:
    whole, part = Goal(0.9, "F1"), Goal(0.6, "F1")
    some, deep = Goal(1.5, PAGE_1), Goal(1.15, PAGE_1)
    ahead = run.either(sqlite=12, postgresql=20)
    after, last_admin_page = run.samples["deep"]["links"], int(run.size.links / 50 * DEEP_ADMIN_PAGE)
    # A group of their own, because peers take so long.
    beside_peers = [
        Case("admin", run.admin()),
        Case("admin's deep page", run.admin(f"?p={last_admin_page}")),
        Case("tables2", lambda: run.peer.get(TABLES2, role="peer").seconds),
        Case("tables2's deep page", lambda: run.peer.get(f"{TABLES2}?page={last_admin_page}", role="peer").seconds),
        Case(
            PAGE_1,
            run.page(LIST),
            (Goal(ahead, "admin", Limit.FASTER), Goal(ahead, "tables2", Limit.FASTER)),
        ),
        Case(
            "deep page",
            run.page(f"{LIST}?after={after}"),
            (Goal(200, "admin's deep page", Limit.FASTER), Goal(200, "tables2's deep page", Limit.FASTER)),
        ),
    ]
    own = [
        run.floor(),
        Case(PAGE_1, run.page(LIST), (whole,)),
        Case("page 1, part", run.page(LIST, **PART), (part,)),
        Case("page 2", run.page(f"{LIST}?after={run.samples['page_2']}"), (some,)),
        Case("deep page", run.page(f"{LIST}?after={after}"), (deep,)),
        Case("deep page, part", run.page(f"{LIST}?after={after}", **PART), (part,)),
        Case("last page", _known(run, f"{LIST}?before=", "sort"), (deep,)),
        *_filters(run, some, part),
        Case("changed since", _known(run, "/links/live/", "sort"), (Goal(1, "F1"),)),
    ]
    return [*run.compare("W1", own), *run.compare("W1 peers:", beside_peers)]


def _filters(run: Run, some: Goal, part: Goal) -> Iterator[Case]:
    for name, (query, needs) in FILTERS.items():
        path = f"{LIST}?{query.format(**run.samples)}"
        yield Case(name, _known(run, path, needs), (some,))
        yield Case(f"{name}, part", _known(run, path, needs, **PART), (part,))


def _known(run: Run, path: str, parameter: str, **headers: str) -> Measured:
    """Return what measures a page, or says that the product doesn't know one of its parameters."""
    if parameter:
        try:
            run.product.get(f"{LIST}?{parameter}=nonsense")
        except NotMeasured:
            pass
        else:
            return _not_offered(parameter)
    return run.page(path, **headers)


def _not_offered(parameter: str) -> Measured:
    def refuse() -> float:
        raise NotMeasured(f"the list doesn't offer {parameter}")

    return refuse
