"""One module per workload of docs/performance.md: what it asks of the product, and what that is compared with."""

from collections.abc import Callable, Mapping

from benchmarks.results import Result
from benchmarks.run import Run

from . import (
    audit_log,
    browser,
    bulk,
    changes,
    export,
    link_page,
    links,
    lists,
    overview,
    search,
    status_changes,
    sync,
    tests,
    webhooks,
)

WORKLOADS: Mapping[str, tuple[Callable[[Run], list[Result]], ...]] = {
    "1": (links.measure, search.measure, lists.measure, status_changes.measure),
    "2": (overview.measure,),
    "3": (link_page.measure,),
    "4": (sync.measure,),
    "5": (webhooks.measure,),
    "6": (changes.measure,),
    "7": (bulk.measure,),
    "8": (browser.measure,),
    "9": (audit_log.measure,),
    "10": (export.measure,),
    "11": (tests.measure,),
}
