"""Reads the providers' OpenAPI documents: their example responses and known names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.needs import CONTRACTS

MOCK_ONLY = "mock only"  # marks a response that the provider never sends
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Example:
    """One example response in a document."""

    status: int
    name: str  # empty if the document has only one
    media_type: str

    @property
    def headers(self) -> dict[str, str]:
        """Headers that make Prism return this response."""
        wanted = f"code={self.status}" + (f", example={self.name}" if self.name else "")
        return {"Prefer": wanted, "Accept": self.media_type}

    def __str__(self) -> str:
        return self.name or (str(self.status) if self.media_type == JSON else self.media_type)


@cache
def document(name: str) -> Mapping[str, Any]:
    """Return a document, empty if it isn't on this machine."""
    path = CONTRACTS / name
    parsed: Mapping[str, Any] = yaml.safe_load(path.read_text()) if path.exists() else {"paths": {}}
    return parsed


def refusals(name: str, method: str, path: str) -> list[Example]:
    """All error responses of a call."""
    return [example for example in _examples(name, method, path) if not 200 <= example.status < 300]


def good_answers(name: str, method: str, path: str) -> list[Example]:
    """The named 2xx responses of a call."""
    return [example for example in _examples(name, method, path) if 200 <= example.status < 300 and example.name]


def known_names(name: str, method: str, path: str) -> set[str]:
    """All field names that a call may send. Prism ignores unknown ones."""
    operation = _operation(name, method, path)
    schema = _resolved(name, operation.get("requestBody", {})).get("content", {}).get(JSON, {}).get("schema", {})
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    return names | _properties(name, schema)


def _properties(name: str, schema: Mapping[str, Any]) -> set[str]:
    found = _resolved(name, schema)
    return set(found.get("properties", {})).union(*(_properties(name, part) for part in found.get("allOf", ())))


def _examples(name: str, method: str, path: str) -> Iterator[Example]:
    for status, answer in _operation(name, method, path).get("responses", {}).items():
        found = _resolved(name, answer)
        if status == "default" or MOCK_ONLY in str(found.get("x-from", "")):
            continue
        for media_type, content in found.get("content", {}).items():
            for example in content.get("examples", {"": None}):
                yield Example(int(status), example, media_type)


def _operation(name: str, method: str, path: str) -> Mapping[str, Any]:
    operation: Mapping[str, Any] = document(name)["paths"].get(path, {}).get(method.lower(), {})
    return operation


def _resolved(name: str, node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        steps = node["$ref"].removeprefix("#/").split("/")
        node = document(name)
        for step in steps:
            node = node[step]
    return node
