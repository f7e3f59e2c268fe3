"""Only the providers package, the simulator and the demo may contain a provider's name."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from linkadmin.providers import PROVIDERS

ROOT = Path(__file__).parents[2]
MAY_NAME_THEM = {"providers", "simulator", "demo"}
NAMES = re.compile("|".join(PROVIDERS), re.IGNORECASE)


def modules() -> Iterator[Path]:
    """Yield the modules that must work for every provider."""
    package = ROOT / "linkadmin"
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] not in MAY_NAME_THEM:
            yield path


def said_in(module: Path) -> list[str]:
    """Return a module's names and texts that contain a provider's name. Comments may."""
    with tokenize.open(module) as source:
        tokens = list(tokenize.generate_tokens(source.readline))
    return [token.string for token in tokens if token.type != tokenize.COMMENT and NAMES.search(token.string)]


def test_no_module_names_a_provider() -> None:
    named = {str(path.relative_to(ROOT)): said_in(path) for path in modules()}

    assert len(named) > 50
    assert {path: said for path, said in named.items() if said} == {}


def test_no_template_style_or_script_names_a_provider() -> None:
    drawn = [path for folder in ("templates", "static") for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = [path for path in drawn if path.suffix in {".html", ".txt", ".css", ".js", ".svg"}]

    assert len(texts) > 50
    assert [str(path.relative_to(ROOT)) for path in texts if NAMES.search(path.read_text())] == []
