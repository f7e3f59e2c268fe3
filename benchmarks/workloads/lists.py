"""W1: the other lists: page 1, deep, no hit, rarest filter. Those of the Django admin beside the stock admin."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.results import Goal, Result
from benchmarks.run import Case, Run

NOTHING = "zyxwvutq"


@dataclass(frozen=True, slots=True)
class List:
    path: str
    deep: str = ""  # the name of a cursor, if not the list's own
    after: str = "after"  # the parameter of a cursor
    rare: str = ""  # the query of the filter that finds least
    search: str = ""  # "post" or "get", if it can be searched
    role: str = "manager"
    is_admin: bool = field(default=False)


def _admin(model: str, *, role: str = "auditor", deep: str = "", rare: str = "") -> List:
    return List(f"/admin/{model}/", deep=deep, rare=rare, search="get", role=role, is_admin=True)


LISTS: Mapping[str, List] = {
    "customers": List("/customers/", rare="manager=nobody", search="post"),
    "customers by name": List("/customers/?sort=name"),
    "institutions": List("/institutions/", rare="ours=no", search="get"),
    "institutions by links": List("/institutions/?sort=links"),
    "deliveries": List("/deliveries/", rare="outcome=invalid_payload", search="post"),
    "activity": List("/operations/", deep="operations", rare="outcome=unknown"),
    "audit": _admin("audit/auditevent", rare="outcome__exact=rejected"),
    "full checks": List("/integrations/{full_check_integration}/full-checks/"),
    "parts of a full check": List("/full-checks/{full_check}/"),
    "bulk jobs": List("/bulk/?whose=others"),
    "rows of a bulk job": List("/bulk/{job}/", rare="state=failed"),
    "history": List("/links/{long_link}/history/", after="at", rare="kind=note"),
    "staff": List("/staff/", role="auditor"),
    "approval requests": List("/staff/approvals/", role="auditor"),
    "staff limits": List("/staff/limits/"),
    "unrecognized values": List("/unrecognized-values/"),
    "admin: customers": _admin("links/enduser", deep="customers by ID"),
    "admin: institutions": _admin("links/institution", deep="institutions", rare="country__exact=MX"),
    "admin: links": _admin("links/link", deep="links", rare="health__exact=customer_code"),
    "admin: status changes": _admin("links/healthchange", deep="changes", rare="new__exact=our_setup"),
    "admin: operations": _admin("operations/operation", deep="operations", rare="state__exact=needs_decision"),
    "admin: deliveries": _admin("webhooks/webhookdelivery", deep="deliveries", rare="outcome__exact=invalid_payload"),
    "admin: rows of bulk jobs": _admin("bulk/bulkitem", deep="items"),
}


def measure(run: Run) -> list[Result]:
    admin = Case("admin", run.admin())
    results = []
    for name, each in LISTS.items():
        floor = admin if each.is_admin else run.floor()
        results += run.compare(f"W1 {name}:", [floor, *_cases(run, name, each, floor.name)])
    return results


def _cases(run: Run, name: str, each: List, floor: str) -> list[Case]:
    path, first = each.path.format(**run.samples), "page 1"
    more = f"{path}&" if "?" in path else f"{path}?"
    cases = [Case(first, run.page(path, role=each.role), (Goal(0.9, floor),))]
    if cursor := run.samples["deep"].get(each.deep or name):
        cases.append(Case("deep", run.page(f"{more}{each.after}={cursor}", role=each.role), (Goal(1.15, first),)))
    if each.search == "get":
        cases.append(Case("no hit", run.page(f"{more}q={NOTHING}", role=each.role), (Goal(1, first),)))
    elif each.search:
        once = lambda: run.product.post(path, {"q": NOTHING}, role=each.role).seconds  # noqa: E731
        cases.append(Case("no hit", once, (Goal(1, first),)))
    if each.rare:
        cases.append(Case("rarest filter", run.page(f"{more}{each.rare}", role=each.role), (Goal(1.5, first),)))
    return cases
