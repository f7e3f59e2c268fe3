"""Banned words: on screen, in the docs, and in names in the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import requests

from linkadmin.simulator.server import Simulator

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "linkadmin/locale/en/LC_MESSAGES/django.po"
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / ".env.example", *sorted((ROOT / "docs").glob("*.md"))]

# Whole words and phrases.
NEVER = (
    "anew",
    "all the same",
    "befell",
    "whoever",
    "by itself",
    "by themselves",
    "at first",
    "what became of",
    "where it stands",
    "of a provider's",
    "work it",
    "whose turn",
    "put right",
    "goes on",
    "begun",
    "stumbled",
    "hand over",
    "log in",
    "logs in",
    "logged in",
    "logging in",
    "login",
    "log-in",
    "log out",
    "logged out",
    "permission for consent",
    "sealed",
    "sweep",
    "sweeps",
    "inbox",
    "drill",
    "unknown word",
    "unknown words",
    "end users",
    "ticked",
    "nudge",
    "is over",
)
# In names of modules, classes and functions. Common words that the field also uses, such as part or close, are allowed.
NEVER_IN_NAMES = (
    "anew attend befell begun bury calm carrying catalogue conduct controls course crew crowd crowds desk "
    "door drill effects fate gate holding house inbox living mailbox mend naming nudge overlay parrot "
    "passage patience postman promise pulse repeats settle shelf sibling siblings speak speaks stirring "
    "stranger strangers strip sweep sweeps tally ticked told truth waker wish world"
)


def messages(catalog: Path) -> set[str]:
    """Return all source texts of a catalog, singular and plural."""
    texts = re.findall(r'^msgid(?:_plural)? ((?:".*"\n)+)', catalog.read_text(), re.MULTILINE)
    return {ast.literal_eval(f"({text})") for text in texts} - {""}


def said(text: str) -> list[str]:
    return [word for word in NEVER if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE)]


def prose(path: Path) -> str:
    """Return a document without code, links and variable names."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|LINKADMIN_\w+", "", text)


@cache
def named() -> dict[str, set[str]]:
    """Yield names of modules, classes and functions, with the words in each."""
    names = dict[str, set[str]]()
    for path in (*(ROOT / "linkadmin").rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        names[where] = words_of(path.stem)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names[f"{where}:{node.name}"] = words_of(node.name)
    return names


def words_of(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_nothing_on_screen_has_the_old_words() -> None:
    assert {text: said(text) for text in messages(CATALOG) if said(text) or "end user" in text.lower()} == {}


@pytest.mark.parametrize("url", ["/", "/calls/", "/webhooks/", "/meuportal.belvo.com/", "/widget.belvo.io/"])
def test_no_page_of_the_simulator_has_the_old_words(url: str) -> None:
    with Simulator() as simulator:
        markup = requests.get(simulator.url + url, headers={"Accept-Language": "en"}, timeout=60).text
    ours, _, _institutions = markup.partition('id="institutions"')
    assert said(re.sub(r"<code>.*?</code>|<[^>]*>", "", ours)) == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_no_document_has_the_old_words(path: Path) -> None:
    assert said(prose(path)) == []


def test_no_name_has_the_old_words() -> None:
    banned = set(NEVER_IN_NAMES.split())
    assert {name: words & banned for name, words in named().items() if words & banned} == {}
