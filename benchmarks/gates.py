"""Print exact facts about pages, in process: their statements, plans, bytes and nodes. No times.

`python -m benchmarks.gates SESSIONS`, with the session keys by role as JSON. tests/performance has the limits.
"""

import gzip
import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from .samples import main as samples
from .statements import Statement, captured

OWN_ONLY = "manager of own"  # the manager, while account managers see only their own customers
PAGES: dict[str, tuple[str, str]] = {  # whose session, path
    "links": ("manager", "/links/"),
    "links, deep": ("manager", "/links/?after={deep[links]}"),
    "links, last": ("manager", "/links/?before="),
    "links, by institution": ("manager", "/links/?institution={institution}"),
    "links, by integration": ("manager", "/links/?integration={integration}"),
    "links, status": ("manager", "/links/?state=customer_login"),
    "links, mine": ("manager", "/links/?assigned=mine"),
    "links, sorted by sync": ("manager", "/links/?sort=sync"),
    "links, sorted by customer": ("manager", "/links/?sort=customer"),
    "links, sandbox": ("tester", "/links/"),
    "links, sandbox, sorted by sync": ("tester", "/links/?sort=sync"),
    "links, sandbox, sorted by customer": ("tester", "/links/?sort=customer"),
    "links, sandbox, mine": ("tester", "/links/?assigned=mine"),
    "links, own only": (OWN_ONLY, "/links/"),
    "links, own only, status": (OWN_ONLY, "/links/?state=customer_login"),
    "overview": ("manager", "/"),
    "overview, sandbox": ("tester", "/"),
    "overview, mine": ("manager", "/?assigned=mine"),
    "overview, own only": (OWN_ONLY, "/"),
    "link": ("manager", "/links/{link}/"),
    "link's history": ("manager", "/links/{long_link}/history/"),
    "customers": ("manager", "/customers/"),
    "customers, deep": ("manager", "/customers/?after={deep[customers]}"),
    "customers, last": ("manager", "/customers/?before="),
    "customers, mine": ("manager", "/customers/?manager=mine"),
    "customers, by name": ("manager", "/customers/?sort=name"),
    "customers, by name, deep": ("manager", "/customers/?sort=name&after={deep[customers by name]}"),
    "customers, own only": (OWN_ONLY, "/customers/"),
    "customers, own only, by name": (OWN_ONLY, "/customers/?sort=name"),
    "institutions": ("manager", "/institutions/"),
    "institutions, by status": ("manager", "/institutions/?sort=-status"),
    "institutions, by links": ("manager", "/institutions/?sort=links"),
    "institution": ("manager", "/institutions/{institution}/"),
    "deliveries": ("manager", "/deliveries/"),
    "deliveries, deep": ("manager", "/deliveries/?after={deep[deliveries]}"),
    "deliveries, sandbox": ("tester", "/deliveries/"),
    "deliveries, oldest first": ("manager", "/deliveries/?sort=-received"),
    "activity": ("manager", "/operations/"),
    "activity, sandbox": ("tester", "/operations/"),
    "activity, deep": ("manager", "/operations/?after={deep[operations]}"),
    "activity, an outcome": ("manager", "/operations/?outcome=succeeded"),
    "activity, denied": ("manager", "/operations/?outcome=denied"),
    "activity, oldest first": ("manager", "/operations/?sort=-time"),
    "activity, a person": ("manager", "/operations/?person={staff}"),
    "activity, own only": (OWN_ONLY, "/operations/"),
    "activity, own only, denied": (OWN_ONLY, "/operations/?outcome=denied"),
    "bulk jobs": ("manager", "/bulk/"),
    "bulk jobs, by links": ("manager", "/bulk/?sort=links"),
    "bulk job": ("manager", "/bulk/{job}/"),
    "integrations": ("manager", "/integrations/"),
    "integration": ("manager", "/integrations/{integration}/"),
    "full checks": ("manager", "/integrations/{full_check_integration}/full-checks/"),
    "full check": ("manager", "/full-checks/{full_check}/"),
    "staff": ("auditor", "/staff/"),
    "staff, no second factor": ("auditor", "/staff/?factor=none"),
    "approval requests": ("auditor", "/staff/approvals/"),
    "staff limits": ("manager", "/staff/limits/"),
    "unrecognized values": ("manager", "/unrecognized-values/"),
    "unrecognized values, sandbox": ("tester", "/unrecognized-values/"),
    "audit log": ("auditor", "/admin/audit/auditevent/"),
    "admin: links": ("auditor", "/admin/links/link/"),
    "admin: status changes": ("auditor", "/admin/links/healthchange/"),
    "admin: deliveries": ("auditor", "/admin/webhooks/webhookdelivery/"),
    "admin: operations": ("auditor", "/admin/operations/operation/"),
}
TIMES = 3  # now and then, a request also notes when its session was last seen
BIG = 2000  # rows; a scan of a smaller table costs nothing
WITHIN_TIES = re.compile(r"RIGHT PART|LAST (?:TERM|\d+ TERMS)")  # sorts only rows that an index leaves equal
OF_BIG = re.compile(r"SCAN (\w+)(?P<index> USING (?:COVERING )?INDEX \w+)?")
COUNT = re.compile(r"SELECT COUNT\(\*\)", re.I)
INNERMOST = re.compile(r"\(([^()]*)\)")
LIMITED = re.compile(r"\bLIMIT \d+\b", re.I)


class Nodes(HTMLParser):
    """Counts elements, and collects what else the browser fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.files: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        named = dict(attrs)
        fetched = {"script": "src", "img": "src", "use": "href"}.get(tag, "")
        if tag == "link" and named.get("rel") in ("stylesheet", "preload", "icon"):
            fetched = "href"
        if fetched and (url := named.get(fetched)) and not url.startswith("#"):
            self.files.add(url.partition("#")[0])


def main(sessions: dict[str, str]) -> dict[str, Any]:
    known, big = samples(), _big_tables()
    sessions[OWN_ONLY] = sessions["manager"]
    facts = {}
    for name, (role, path) in PAGES.items():
        with override_settings(MANAGERS_SEE="own" if role == OWN_ONLY else "all"):
            facts[name] = _facts(sessions[role], path.format(**known), big)
    return facts


def _facts(session: str, path: str, big: set[str]) -> dict[str, Any]:
    client = Client(headers={"host": "127.0.0.1", "accept-encoding": "gzip"})
    client.cookies["session"] = session
    client.get(path)  # fills caches
    response, statements = min((_asked(client, path) for _ in range(TIMES)), key=lambda found: len(found[1]))
    part = client.get(path, headers={"HX-Request": "true", "HX-Target": "results"})
    nodes = Nodes()
    nodes.feed(gzip.decompress(response.content).decode())
    reads = [each for each in statements if each[0].lstrip("( ").upper().startswith(("SELECT", "WITH"))]
    return {
        "statements": len(statements),
        "offsets": [sql for sql, *_ in reads if re.search(r"\bOFFSET\b", sql, re.I)],
        "counts": [sql for sql, *_ in reads if COUNT.search(sql) and not LIMITED.search(sql) and _has(sql, big)],
        "touched": max((_touched(each, big) for each in reads), default=0),
        "scans": [found for each in reads for found in _scans(each, big)],
        "bytes": len(response.content),
        "part": len(part.content),
        "nodes": nodes.count,
        "files": {url: _bytes_of(url) for url in sorted(nodes.files)},
    }


def _asked(client: Client, path: str) -> tuple[Any, list[Statement]]:
    with captured() as statements:
        response = client.get(path)
    if response.status_code != 200:
        sys.exit(f"{path} answered {response.status_code}")
    return response, [each for each in statements if not each[0].startswith(("SAVEPOINT", "RELEASE"))]


def _bytes_of(url: str) -> int:
    """The size of a static file as it's sent over TLS, where browsers accept Brotli."""
    file = Path(settings.STATIC_ROOT) / url.removeprefix(settings.STATIC_URL)
    compressed = file.with_name(f"{file.name}.br")
    return (compressed if compressed.exists() else file).stat().st_size


def _big_tables() -> set[str]:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        found = set()
        for name in names:
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608
            if cursor.fetchone()[0] > BIG:
                found.add(name)
    return found


def _has(sql: str, big: set[str]) -> bool:
    return any(f'"{table}"' in sql for table in big)


def _plan(statement: Statement, explain: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {statement[0]}", statement[1])
        return list(cursor.fetchall())


def _scans(statement: Statement, big: set[str]) -> Iterator[str]:
    """Full scans of big tables on SQLite, and those of an index that no LIMIT ends."""
    if connection.vendor != "sqlite":
        return
    plan = _plan(statement, "EXPLAIN QUERY PLAN")
    lists: dict[int, int] = {}  # which IN (SELECT …) a step belongs to: it's read, and ends, before the rest
    for step, parent, _unused, detail in plan:
        lists[step] = step if detail.startswith("LIST SUBQUERY") else lists.get(parent, 0)
    sorting = {lists[step] for step, *_, detail in plan if "TEMP B-TREE" in detail and not WITHIN_TIES.search(detail)}
    is_limited = _limited(statement[0])
    for step, *_, detail in plan:
        found = OF_BIG.match(detail)
        table = _table_of(statement[0], found[1]) if found else ""
        ends = is_limited[bool(lists[step])] and lists[step] not in sorting
        if found and table in big and not (ends and (found["index"] or " WHERE " not in statement[0])):
            yield f"{detail}: {statement[0][:300]}"


def _limited(sql: str) -> tuple[bool, bool]:
    """Whether a statement without its lists has a LIMIT, and whether each IN (SELECT …) has its own.

    Only then does a scan in the order of an index, or of the rows themselves, end after a page. The LIMIT of another
    subquery, such as EXISTS, is its own.
    """
    lists = []
    while found := INNERMOST.search(sql):
        before, inside = sql[: found.start()], found[1]
        is_subquery = inside.startswith("SELECT")
        if is_subquery and before.endswith(" IN "):
            lists.append(inside)
        is_part = not is_subquery or before.endswith((" FROM ", " AS ", " MATERIALIZED "))
        sql = before + (f"[{inside}]" if is_part else "") + sql[found.end() :]
    return bool(LIMITED.search(sql)), all(map(LIMITED.search, lists))


def _table_of(sql: str, name: str) -> str:
    aliased = re.search(rf'"(\w+)" "?{name}"?[ )]', sql)
    return aliased[1] if aliased else name


def _touched(statement: Statement, big: set[str]) -> int:
    """Rows that the scans of a statement read on PostgreSQL, those that a filter removed included."""
    if connection.vendor != "postgresql" or not _has(statement[0], big):
        return 0
    ((plan,),) = _plan(statement, "EXPLAIN (ANALYZE, FORMAT JSON)")
    return _rows((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"], big)


def _rows(node: dict[str, Any], big: set[str]) -> int:
    below = sum(_rows(each, big) for each in node.get("Plans", []))
    if node.get("Relation Name") not in big:
        return below
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return below + round(read * node["Actual Loops"])


if __name__ == "__main__":
    json.dump(main(json.loads(sys.argv[1])), sys.stdout)
