"""`manage.py startprovider` in a copy of the tree: drafts pass every check, and drafted tests detect mistakes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from pytest_django import Settings

pytestmark = pytest.mark.processes

PROJECT = Path(__file__).resolve().parents[2]
# First, last, shortest and longest names: lines and imports sort and wrap differently.
OTHER_NAMES = ("aa", "zz", "bank_of_a_long_names")
# Likely mistakes, and the drafted test that detects each.
MISTAKES = {
    "no_key": ("self.secrets['api_key'].reveal()", "'none'", "test_key_is_in_a_header_and_nowhere_else"),
    "key_in_path": ('"/account"', '"/" + self.secrets["api_key"].reveal()', "test_key_is_in_a_header_and_nowhere_else"),
    "raw_words": ("words=first.words,", "words=str(answer.data),", "test_no_error_holds_a_secret"),
    "raw_code": (" code=first.code,", ' code=str(items[0].get("code")),', "test_no_error_holds_a_secret"),
    "no_words": ("words=first.words,", "", "test_each_status_has_its_error"),
    "wrong_error": ("HTTPStatus.UNAUTHORIZED: KeysRejected", "599: KeysRejected", "test_each_status_has_its_error"),
    "hasty": ("== HTTPStatus.FORBIDDEN", "== 599", "test_firewall_page_rejects_one_request"),
    "no_pause": ("retry_after=answer.retry_after", "retry_after=None", "test_rate_limited_call_says_when_to_retry"),
}
FIRST_HALF = {mistake[2] for mistake in MISTAKES.values()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with drafts: nimbus is registered as the command says; some others contain a mistake."""
    root = tmp_path_factory.mktemp("tree")
    for folder in ("linkadmin", "tests", "templates", "static"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, root)
    register(root, run(root, "manage.py", "startprovider", "nimbus"))
    with override_settings(BASE_DIR=root):
        for name in (*OTHER_NAMES, *MISTAKES):
            call_command("startprovider", name, verbosity=0)
    return root


@pytest.fixture(scope="module")
def results(tree: Path) -> Mapping[str, Mapping[str, str]]:
    """Results of the drafted tests, by provider and test: the failure message, empty for passed tests."""
    for name, (right, wrong, _noticed_by) in MISTAKES.items():
        module = tree / "linkadmin" / "providers" / f"{name}.py"
        draft = module.read_text()
        assert draft.count(right) == 1
        module.write_text(draft.replace(right, wrong))
    modules = [f"tests/providers/test_{name}.py" for name in ("nimbus", *MISTAKES)]
    said = run(tree, "-m", "pytest", "-q", "-n0", "-rA", "--tb=no", *modules, check=False)
    found: dict[str, dict[str, str]] = {}
    for outcome, name, test, why in re.findall(r"^(PASSED|FAILED) \S+/test_(\w+)\.py::(\w+)\S*(.*)$", said, re.M):
        failed_before = found.setdefault(name, {}).get(test, "")
        found[name][test] = failed_before or (why or "failed" if outcome == "FAILED" else "")
    return found


def run(root: Path, *command: str, check: bool = True) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LINKADMIN_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env=inherited | {"COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def register(root: Path, said: str) -> None:
    """Add the line that the command printed to the registry."""
    (line,) = re.findall(r'^    "\w+": ".+",$', said, re.M)
    registry = root / "linkadmin" / "providers" / "__init__.py"
    registry.write_text(registry.read_text().replace('    "heron":', f'{line}\n    "heron":'))


def drafts(root: Path) -> Iterator[str]:
    for name in ("nimbus", *OTHER_NAMES):
        yield f"linkadmin/providers/{name}.py"
        yield f"tests/providers/test_{name}.py"


def test_drafts_pass_lint_format_and_strict_types(tree: Path) -> None:
    run(tree, "-m", "ruff", "check", "--no-cache", *drafts(tree))
    run(tree, "-m", "ruff", "format", "--no-cache", "--check", *drafts(tree))
    run(tree, "-m", "mypy", "--follow-imports=silent", *drafts(tree))


def test_draft_is_a_provider_like_every_other(tree: Path) -> None:
    modules = [f"tests/providers/test_{name}.py" for name in ("every_provider", "capabilities", "names")]
    said = run(tree, "-m", "pytest", "-q", "-n0", *modules)

    assert re.search(r"^\d+ passed", said, re.M), said


def test_first_half_of_its_tests_passes_at_once_and_the_rest_says_what_is_not_written(
    results: Mapping[str, Mapping[str, str]],
) -> None:
    failed = {test: why for test, why in results["nimbus"].items() if why}

    assert results["nimbus"].keys() - failed.keys() == {*FIRST_HALF, "test_it_is_registered"}
    assert len(failed) > 4
    assert [why for why in failed.values() if "not written yet" not in why] == []


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_noticed(results: Mapping[str, Mapping[str, str]], name: str) -> None:
    assert results[name].get(MISTAKES[name][2])


BAD_NAMES = ("", "Nimbus", "2nd", "tin-bank", "tin__bank", "_tin", "tin_", "tin.bank", "../tin", "bänk", "class")


@pytest.mark.parametrize("name", [*BAD_NAMES, "a", "a" * 21])
def test_bad_name_is_rejected(tmp_path: Path, settings: Settings, name: str) -> None:
    settings.BASE_DIR = tmp_path  # no folders, so that writing would raise another error

    with pytest.raises(CommandError, match=r"can't name a module|2 to 20 characters"):
        call_command("startprovider", name)


@pytest.mark.parametrize("name", ["heron", "tin_bank"])
def test_existing_provider_is_rejected(tmp_path: Path, settings: Settings, name: str) -> None:
    settings.BASE_DIR = tmp_path

    with pytest.raises(CommandError, match="a provider already"):
        call_command("startprovider", name)


@pytest.mark.parametrize("taken", ["linkadmin/providers/nimbus.py", "tests/providers/test_nimbus.py"])
def test_nothing_is_written_over(tmp_path: Path, settings: Settings, taken: str) -> None:
    settings.BASE_DIR = tmp_path
    for folder in ("linkadmin/providers", "tests/providers"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / taken).write_text("mine")

    with pytest.raises(CommandError, match=f"Nothing was written: {taken} exists"):
        call_command("startprovider", "nimbus")

    assert [path.read_text() for path in tmp_path.rglob("*.py")] == ["mine"]
