"""docs/adding-a-provider.md matches the code: its links, and the calls of each capability."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.urls import is_valid_path

from linkadmin.providers.types import Capability
from tests.providers.test_capabilities import ALWAYS_OR_OPTIONAL, CALLS

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-provider.md"
TEXT = GUIDE.read_text()
LINKS = re.findall(r"\[([^\]]+)\]\(([^)#]+)(?:#L(\d+))?\)", TEXT)
LINES = [(name.strip("`"), path, int(line)) for name, path, line in LINKS if line]
URLS = re.findall(r"`(/[^`?]+/)[^`]*`", TEXT.partition("## 13. Tests")[2].partition("## 14.")[0])
ROW = re.compile(r"^\| `([A-Z_]+)` \| [^|]+ \| ([^|]+) \|$", re.M)


def test_each_link_leads_to_a_file() -> None:
    assert len(LINKS) > 30
    assert [path for _name, path, _line in LINKS if not (GUIDE.parent / path).exists()] == []


@pytest.mark.parametrize(("name", "path", "line"), LINES)
def test_link_to_a_line_shows_what_it_names(name: str, path: str, line: int) -> None:
    """If lines moved, update the line number in the guide."""
    lines = (GUIDE.parent / path).read_text().splitlines()
    assert name in lines[line - 1], [number for number, text in enumerate(lines, 1) if name in text]


@pytest.mark.parametrize("url", URLS)
def test_each_url_of_the_tests_is_one_of_ours(url: str) -> None:
    assert is_valid_path(url.replace("PK", str(uuid4())))


def test_table_of_capabilities_is_the_one_that_tests_hold() -> None:
    told = {Capability[name]: frozenset(re.findall(r"`(\w+)`", calls)) for name, calls in ROW.findall(TEXT)}

    assert told == CALLS


def test_every_call_is_explained() -> None:
    calls = {*ALWAYS_OR_OPTIONAL, *(call for calls in CALLS.values() for call in calls)}

    assert [call for call in sorted(calls) if f"`{call}" not in TEXT] == []
