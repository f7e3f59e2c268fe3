"""Architecture rules that import contracts can't express, checked on the source."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "linkadmin"
LONGEST_FUNCTION, LONGEST_VIEW, MOST_MODULES = 41, 30, 20  # lines, lines, modules per folder
PROVIDER_WORDS_ALLOWED = ("simulator", "demo")  # imitate providers or generate history, so they use provider values
# State that a process may keep in memory: losing it does no harm.
OWN_STATE = {
    "accounts/single_sign_on/provider.py": "endpoints and keys of the identity provider for ten minutes",
    "compiled_query.py": "how to load the rows of a statement: the same until the end of the process",
    "heartbeats/signs.py": "the writer of this process's own heartbeat",
    "heartbeats/watch.py": "what was asked two seconds ago",
    "links/listing/table_rows.py": "drawn rows, each under all that it shows",
    "paging.py": "statements of pages: the same until the end of the process",
    "links/presentation.py": "who is asked what is under way: registered at the start",
    "staff_limits/counting.py": "what is already counted against people's limits; rows have it all",
    "sqlite/base.py": "the idle connection that keeps the database's files open",
    "integrations/call_pool.py": "the calls that threads of this process make",
    "web/palette.py": "what the palette finds, and who is asked: registered at the start",
    "links/listing/palette.py": "who is asked what can be done to a link: registered at the start",
    "web/page_parts.py": "parts of pages: registered at the start",
    "web/probes.py": "that no migration is missing: true until the end of the process",
    "webhooks/endpoints.py": "secrets of endpoints for a second, in memory as everywhere",
    "webhooks/published_keys.py": "which keys were fetched in this minute, so that forgeries lead to few requests",
    "webhooks/refusals.py": "how many were refused in this minute, for the log",
}
# Modules that may release database connections: they make calls or run for long.
RELEASING = {
    "database.py",
    "heartbeats/signs.py",
    "heartbeats/tasks.py",
    "integrations/call_pool.py",
    "integrations/rate_limiter.py",
    "operations/outcomes.py",
    "sync/reads.py",
    "work_queue.py",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Return all modules of the product by path, without migrations."""
    paths = (path for path in PRODUCT.rglob("*.py") if "migrations" not in path.parts)
    return {path.relative_to(PRODUCT).as_posix(): ast.parse(path.read_text()) for path in sorted(paths)}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def length(node: ast.FunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def called(node: ast.Call) -> str:
    """The last part of the called name."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def calls(tree: ast.AST, *names: str) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in names]


def may_use_provider_words(module: str) -> bool:
    return module.startswith(PROVIDER_WORDS_ALLOWED)


def test_no_function_is_long() -> None:
    found = {f"{name}:{each.name}": length(each) for name, tree in modules().items() for each in functions(tree)}
    assert {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION} == {}


def test_views_are_thin() -> None:
    views = {name: tree for name, tree in modules().items() if "/views/" in name or name.endswith("views.py")}
    found = {f"{name}:{each.name}": length(each) for name, tree in views.items() for each in functions(tree)}
    assert {name: lines for name, lines in found.items() if lines > LONGEST_VIEW} == {}


def test_every_function_has_a_name() -> None:
    assert [name for name, tree in modules().items() for each in functions(tree) if each.name == "_"] == []


def test_a_class_name_exists_once() -> None:
    where = defaultdict(list)
    for name, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and "management/" not in name and not may_use_provider_words(name):
                where[node.name].append(name)
    assert {name: found for name, found in where.items() if len(found) > 1} == {}


def test_every_module_has_a_docstring() -> None:
    said = {name: ast.get_docstring(tree) for name, tree in modules().items() if tree.body}
    plain = ("apps.py", "urls.py", "tasks.py")
    assert [
        name for name, text in said.items() if not text and not name.endswith(plain) and "management/" not in name
    ] == []


def test_folder_fits_one_look() -> None:
    counts: dict[str, int] = defaultdict(int)
    for name in modules():
        folder, _, module = name.rpartition("/")
        counts[folder] += module != "__init__.py"
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_task_is_named_by_a_text() -> None:
    """Packages that wake another package's task import its name from there."""
    literal = [
        f"{name}:{call.lineno}"
        for name, tree in modules().items()
        for call in calls(tree, "wake_worker", "WakeSoon", "send_task")
        if call.args and isinstance(call.args[0], ast.Constant)
    ]
    assert literal == []


def test_process_remembers_nothing_that_a_page_needs() -> None:
    found = {name for name, tree in modules().items() if not may_use_provider_words(name) and keeps_state(tree)}
    assert found == OWN_STATE.keys()


def keeps_state(tree: ast.Module) -> bool:
    """Whether a module has mutable globals: rebound names, or containers that start empty."""
    rebound = any(isinstance(node, ast.Global) for node in ast.walk(tree))
    values = [node.value for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    empty = ("{}", "[]", "set()", "dict()", "list()", "WeakKeyDictionary()")
    return rebound or any(ast.unparse(value) in empty for value in values if value)


def test_words_of_a_provider_are_compared_in_providers_alone() -> None:
    found = [
        f"{name}:{node.lineno} {ast.unparse(node)}"
        for name, tree in modules().items()
        if not name.startswith("providers/") and not may_use_provider_words(name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and names_provider_words(node)
    ]
    assert found == []


def names_provider_words(node: ast.Compare) -> bool:
    """Whether a provider's status, code or message is compared with a literal."""
    sides = [node.left, *node.comparators]
    words = any(getattr(side, "attr", "") in ("raw_status", "raw_code", "raw_words") for side in sides)
    ours = any(isinstance(side, ast.Constant | ast.Tuple | ast.Set) and ast.unparse(side) != "''" for side in sides)
    return words and ours


def test_forms_never_save() -> None:
    saving = [
        name for name, tree in modules().items() if name.endswith("forms.py") and calls(tree, "save", "bulk_create")
    ]
    assert saving == []


def test_connections_are_let_go_in_few_places() -> None:
    assert {name for name, tree in modules().items() if calls(tree, "release_connections")} <= RELEASING


def test_a_row_that_is_new_is_no_rule_of_business() -> None:
    found = [name for name, tree in modules().items() if re.search(r"\b_state\.adding\b", ast.unparse(tree))]
    assert found == ["accounts/models.py", "audit/models.py"]  # append-only rows


@pytest.mark.parametrize(
    "package", ["providers", "audit", "encryption", "accounts", "links", "operations", "sync", "webhooks", "bulk"]
)
def test_package_says_where_to_start(package: str) -> None:
    text = ast.get_docstring(modules()[f"{package}/__init__.py"]) or ""
    assert re.search(r"\bStart with [`a-z_]+", text), text


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: set(imported(name, tree)) for name, tree in modules().items()}
    done: set[str] = set()
    while free := {name for name in graph.keys() - done if graph[name] & graph.keys() <= done}:
        done |= free
    assert graph.keys() - done == set()


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield the modules of ours that a module imports at load time."""
    folder = name.split("/")[:-1]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else []
            path = "/".join([*base, *(node.module or "").split(".")]).strip("/")
            if not node.level and not path.startswith("linkadmin"):
                continue
            path = path.removeprefix("linkadmin/")
            for alias in node.names:
                for found in (f"{path}/{alias.name}.py", f"{path}.py", f"{path}/{alias.name}/__init__.py"):
                    if found in modules() and found != name:
                        yield found
                        break


def test_locks_of_rows_let_others_refer_to_them() -> None:
    """A transaction that refers to a row by a foreign key needs it when it ends, on PostgreSQL. Then it already has
    the audit log, which the transaction that locked the row may be waiting for.
    """
    calls = [
        (file.relative_to(PRODUCT), node)
        for file in PRODUCT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "select_for_update"
    ]
    assert calls
    assert not [
        (str(file), call.lineno) for file, call in calls if "no_key" not in {keyword.arg for keyword in call.keywords}
    ]
