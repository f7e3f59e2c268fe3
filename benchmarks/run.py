"""What a workload is given: the sites, and the rows it asks for by name."""

from dataclasses import dataclass

from .measure import Timing, take_turns
from .results import Goal, Result
from .servers import Site
from .sizes import Size

F0, F1 = "/floors/0/", "/floors/1/"
ADMIN = "/admin/peers/link/"
TABLES2 = "/links/"  # of the peers


@dataclass(frozen=True, slots=True)
class Run:
    product: Site
    peer: Site
    size: Size
    samples: dict[str, str]  # IDs that occur, by what they are

    def compare(self, workload: str, path: str, goal: Goal, other: str, **headers: str) -> Result:
        """Time one of our pages beside another one that the goal names."""
        site = self.peer if other.startswith("/admin/") else self.product
        timings = take_turns(
            {"ours": lambda: self.product.get(path, **headers)[0], "other": lambda: site.get(other)[0]},
            rounds=self.size.rounds,
        )
        return result(workload, timings, goal)


def result(workload: str, timings: dict[str, Timing], goal: Goal) -> Result:
    ours, other = timings["ours"], timings["other"]
    return Result(workload, ours.p50, other.p50, goal, ours.p95)
