"""Drafts a provider's module and its tests. Never overwrites a file."""

import keyword
import re
from pathlib import Path
from string import Template
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from linkadmin.integrations.models import Integration
from linkadmin.providers import PROVIDERS

DRAFTS = Path(__file__).parents[1] / "new_provider"
LONGEST_NAME = Integration._meta.get_field("provider").max_length or 0
EXAMPLE = "tin_bank"  # in the guide
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Command(BaseCommand):
    help = "Create the module and tests of a new provider. docs/adding-a-provider.md explains the next steps."
    requires_system_checks = ()  # needs neither database nor keys

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="lowercase words separated by underscores")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        _check(name)
        class_name = "".join(word.capitalize() for word in name.split("_"))
        names = {"kind": name, "class_name": class_name, "label": name.replace("_", " ").capitalize()}
        module, tests = f"linkadmin/providers/{name}.py", f"tests/providers/test_{name}.py"
        _write({module: _drafted("provider", names), tests: _drafted("test_provider", names)})
        if not options["verbosity"]:
            return
        self.stdout.write(
            f"Created {module} and {tests}.\n\n"
            "Add this line to PROVIDERS in linkadmin/providers/__init__.py:\n"
            f'    "{name}": "linkadmin.providers.{name}:{class_name}",\n\n'
            f"Then run .venv/bin/pytest -n0 {tests}: each failure says what isn't written yet.\n"
            "docs/adding-a-provider.md explains each step."
        )


def _check(name: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise CommandError(f"“{name}” can't name a module. Use lower-case letters, digits and single underscores.")
    if not 1 < len(name) <= LONGEST_NAME:
        raise CommandError(f"A provider's name has 2 to {LONGEST_NAME} characters; “{name}” has {len(name)}.")
    if name in PROVIDERS or name == EXAMPLE:
        raise CommandError(f"“{name}” is a provider already: {PROVIDERS.get(name, 'the example in the guide')}.")


def _drafted(draft: str, names: dict[str, str]) -> str:
    return Template((DRAFTS / f"{draft}.py-tpl").read_text(encoding="utf-8")).substitute(names)


def _write(files: dict[str, str]) -> None:
    paths = {settings.BASE_DIR / path: text for path, text in files.items()}
    if taken := [str(path.relative_to(settings.BASE_DIR)) for path in paths if path.exists()]:
        raise CommandError(f"Nothing was written: {' and '.join(taken)} exists already. Choose another name.")
    for path, text in paths.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
