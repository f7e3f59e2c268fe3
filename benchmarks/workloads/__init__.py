"""One module per workload of docs/performance.md: what it asks of the product, and what that is compared with."""

from collections.abc import Callable, Mapping

from benchmarks.results import Result
from benchmarks.run import Run

from . import link_page, lists, overview

WORKLOADS: Mapping[str, Callable[[Run], list[Result]]] = {
    "1": lists.measure,
    "2": overview.measure,
    "3": link_page.measure,
}
