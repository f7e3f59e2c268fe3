"""Reads errors in every shape that APIs use: objects, lists, fields with messages, plain text."""

from collections.abc import Container, Iterator, Mapping
from itertools import islice

from .errors import ErrorEntry
from .http.answer import Answer
from .reading import MAX_FIELDS

# Keys that wrap errors; no form field has such a name.
_CONTAINERS = frozenset(
    {
        "errors",
        "error",
        "fields",
        "detail",
        "details",
        "non_field_errors",
        "__all__",
        "_schema",
        "json",
        "query",
        "description",
    }
)
_WORDS = ("message", "detail", "description")
# Keys beside an error that aren't errors, above all a session and its challenge.
_NO_ERRORS = frozenset(
    {"request_id", "status", "status_code", "timestamp", "path", "session", "expiry", "link", "token_generation_data"}
)


def items_of(body: object) -> list[Mapping[str, object]]:
    """Return the errors in a body, as objects with any of code, message, field and request_id.

    Objects come first, then errors inside fields and plain texts.
    """
    found = list(islice(_items(body, ""), MAX_FIELDS))
    return [item for item, is_own in found if is_own] + [item for item, is_own in found if not is_own]


def entry_of(
    answer: Answer, item: Mapping[str, object], *, codes: Container[str], fields: Container[str]
) -> ErrorEntry:
    return ErrorEntry(
        code=answer.term(item.get("code"), codes),
        words=next(filter(None, (answer.words(item.get(name)) for name in _WORDS)), ""),
        field=answer.term(item.get("field"), fields),
        request_id=answer.request_id_in(item.get("request_id")),
    )


def _items(value: object, field: str) -> Iterator[tuple[Mapping[str, object], bool]]:
    if isinstance(value, str):
        if value.strip():
            yield {"message": value, "field": field}, False
    elif isinstance(value, list):
        for item in value:
            yield from _items(item, field)
    elif isinstance(value, dict):
        is_error = _is_error(value)
        if is_error:
            yield {"field": field, **value}, not field
        for name, inner in value.items():
            if name in _CONTAINERS and not (is_error and isinstance(inner, str)):
                yield from _items(inner, field)
            elif not is_error and name not in _NO_ERRORS:
                yield from _items(inner, name)


def _is_error(item: Mapping[str, object]) -> bool:
    return isinstance(item.get("code"), str) or any(isinstance(item.get(name), str) for name in _WORDS)
