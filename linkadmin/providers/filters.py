"""What a provider's list is asked by, and how that is sent."""

from collections.abc import Iterable, Mapping

from .types import CredentialField

# What was typed or chosen in a search, by the names of the fields that a provider declares for it.
Filters = Mapping[str, str | tuple[str, ...]]


def text_of(filters: Filters, name: str) -> str:
    """Return what was typed or chosen in one field, several values with commas between them."""
    value = filters.get(name, "")
    return value.strip() if isinstance(value, str) else ",".join(value)


def params_of(filters: Filters, fields: Iterable[CredentialField]) -> dict[str, str]:
    """Return the parameters of a search: of these fields, those that are filled."""
    texts = {field.name: text_of(filters, field.name) for field in fields}
    return {name: text for name, text in texts.items() if text}
