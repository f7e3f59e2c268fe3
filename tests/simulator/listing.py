"""Complete lists, read page by page over a real socket."""

from collections import Counter
from typing import Any

from linkadmin.simulator.server import Simulator

from .conftest import Belvo, Heron


def pages(belvo: Belvo, query: str = "", size: int = 1000) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    url = f"{belvo.url}/api/links/?page_size={size}&{query}"
    while url:
        page = belvo.session.get(url, timeout=60).json()
        rows, url = rows + page["results"], page["next"]
        assert page["count"] >= len(rows)
    assert page["count"] == len(rows)
    return rows


def clients(simulator: Simulator) -> tuple[Belvo, Heron]:
    keys = ("sandbox-id", "sandbox-password")
    return Belvo(simulator.url, auth=keys), Heron(simulator.url, headers={"x-api-key": "key_sandbox"})


def end_users(heron: Heron, query: str = "", limit: int = 700) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    url = f"{heron.url}/api/end_users?limit={limit}&{query}"
    while url:
        page = heron.session.get(url, timeout=60).json()
        rows, url = rows + page["end_users"], page["_meta"]["next_url"]
    assert page["_meta"]["total"] == len(rows)
    return rows


def states(heron: Heron) -> Counter[str]:
    """Count all links by status, from the list of end users."""
    rows = end_users(heron, "include_data_sources=true")
    return Counter(source["status"] for row in rows for source in row["data_sources"])
