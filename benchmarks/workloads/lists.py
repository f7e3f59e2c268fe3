"""W1: the list of links: pages and filters, in units of F1, of page 1 and of the stock admin."""

from benchmarks.results import Goal, Result
from benchmarks.run import ADMIN, F1, Run

PART = {"HX-Request": "true", "HX-Target": "results"}
SECOND = 1.5  # times page 1, for any filter
FILTERS = {
    "status": "state=customer_login",
    "disconnected": "state=disconnected",
    "integration": "integration={integration}",
    "institution": "institution={institution}",
    "mine": "mine=1",
    "status and institution": "state=customer_login&institution={institution}",
}


def measure(run: Run) -> list[Result]:
    page = "/links/"
    results = [
        run.compare("W1 page 1", page, Goal("F1", 0.9), F1),
        run.compare("W1 page 1, part", page, Goal("F1", 0.6), F1, **PART),
        run.compare("W1 page 1 and the admin", page, Goal("admin", 12, faster=True), ADMIN),
        run.compare("W1 deep page", f"{page}?after={run.samples['deep']}", Goal("page 1", 1.15), page),
    ]
    for name, query in FILTERS.items():
        path = f"{page}?{query.format(**run.samples)}"
        results.append(run.compare(f"W1 filter: {name}", path, Goal("page 1", SECOND), page))
    return results
