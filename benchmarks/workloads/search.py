"""W1: search in lists, in units of page 1 and of the stock admin. The words are posted: they never go into a URL."""

from collections.abc import Iterator

from benchmarks.engines import NotMeasured
from benchmarks.measure import Measured, take_turns, timing
from benchmarks.results import Goal, Limit, Result
from benchmarks.run import Case, Run
from benchmarks.servers import REDIRECT

from .links import LIST, PAGE_1, PART

NO_MATCH = "zyxwvutq"
TIMES = 100
SLOWEST, A_KEY = 150, 100  # ms
ANY = (200, *REDIRECT)  # a customer's only link is opened at once


def measure(run: Run) -> list[Result]:
    return [*run.compare("W1 search:", _cases(run)), *_again(run), _type_ahead(run)]


def _cases(run: Run) -> Iterator[Case]:
    remote, customer, name = (run.samples[key] for key in ("remote_id", "customer_id", "customer_name"))
    ids, parts, none = (Goal(number, PAGE_1) for number in (1.1, 2.5, 1))
    yield Case(PAGE_1, run.page(LIST))
    yield Case("admin", run.admin(f"?q={remote[9:16]}"))
    yield Case("whole ID", _found(run, remote, to=REDIRECT), (ids,))
    yield Case("whole customer ID", _found(run, customer, to=ANY), (ids,))
    yield Case("prefix, 8 characters", _found(run, remote[:8]), (ids,))
    yield Case("middle, 7 characters", _found(run, remote[10:17]), (parts, Goal(150, "admin", Limit.FASTER)))
    yield Case("middle, 4 characters", _found(run, remote[-6:-2]), (parts,))
    yield Case("middle, 3 characters", _found(run, remote[10:13]), (parts,))
    yield Case("two words of a name", _found(run, " ".join(name.split()[:2])), (parts,))
    yield Case("a frequent word", _found(run, name.split()[0]), (parts,))
    yield Case("no match", _found(run, NO_MATCH), (none,))
    yield Case("no match, part", _found(run, NO_MATCH, **PART), (none,))
    yield Case("name and status", _found(run, name.split()[0], query="?state=customer_login"), (parts,))


def _found(run: Run, words: str, *, to: int | tuple[int, ...] = 200, query: str = "", **headers: str) -> Measured:
    return lambda: run.product.post(LIST + query, {"q": words}, to=to, **headers).seconds


def _again(run: Run) -> Iterator[Result]:
    """Search 100 times: databases change their plans after a few."""
    for name, words in (("7 characters", run.samples["remote_id"][10:17]), ("no match", NO_MATCH)):
        taken = take_turns({name: _found(run, words)}, rounds=TIMES)[name]
        label, goal = f"W1 search: {name}, slowest of {TIMES}", Goal(SLOWEST)
        if isinstance(taken, NotMeasured):
            yield Result(label, goal, why=str(taken))
        else:
            yield Result(label, goal, taken.high * 1000, p95=taken.p95 * 1000)


def _type_ahead(run: Run) -> Result:
    words = run.samples["customer_name"]
    keys = [_found(run, words[:length], **PART) for length in range(1, len(words))]
    slowest = max(timing([key() for _ in range(5)]).p50 for key in keys)
    return Result("W1 search: slowest key while typing a name", Goal(A_KEY), slowest * 1000)
