"""Caches providers' answers for a short time, encrypted, in Django's cache, shared by all web processes.

A lost entry costs one more request, so an unusable cache works like an empty one. Values are stored as JSON: plain
data and our own records, never a secret.
"""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from importlib import import_module
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.core.cache import cache

from linkadmin.encryption.box import decrypt, encrypt
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.types import Secret

logger = structlog.get_logger(__name__)

T = TypeVar("T")
_NAME = "provider-answers"
_OF_JSON = (str, int, float, bool, type(None))
_OURS = ("linkadmin.providers.", "linkadmin.sync.")


def find(key: UUID) -> Any:
    """Return None if nothing readable is stored under the key."""
    return _tried(lambda: _decrypted(key, cache.get(_key(key))))


def add(key: UUID, value: Any, *, seconds: float) -> bool:
    return bool(_tried(lambda: cache.add(_key(key), _encrypted(key, value), timeout=seconds)))


def store(key: UUID, value: Any, *, seconds: float) -> None:
    _tried(lambda: cache.set(_key(key), _encrypted(key, value), timeout=seconds))


def delete(key: UUID) -> None:
    _tried(lambda: cache.delete(_key(key)))


def pack(value: Any) -> Any:
    """Return a value as JSON. A type that JSON lacks becomes an object whose only key names it. Raises TypeError."""
    if type(value) in _OF_JSON:
        return value
    if isinstance(value, list):
        return [pack(each) for each in value]
    if type(value) in _WRITTEN:
        write, _read = _WRITTEN[type(value)]
        return {type(value).__name__: write(value)}
    named = value if isinstance(value, type) else type(value)
    return {f"{named.__module__}:{named.__name__}": _pack_ours(value)}


def unpack(packed: Any) -> Any:
    """Raises ValueError for types that aren't ours or have changed."""
    if isinstance(packed, list):
        return [unpack(each) for each in packed]
    if not isinstance(packed, dict):
        return packed
    ((name, content),) = packed.items()
    if name in _READ:
        return _READ[name](content)
    try:
        return _unpack_ours(name, content)
    except (AttributeError, ImportError, TypeError) as error:
        raise ValueError(f"{name} is not known here") from error


def _tried(use: Callable[[], T]) -> T | None:
    try:
        return use()
    except Exception as error:  # noqa: BLE001 - cache server down, other keys, another release
        logger.warning("cache.not_used", error=type(error).__name__)
    return None


def _key(key: UUID) -> str:
    return f"{_NAME}:{key}"


def _encrypted(key: UUID, value: Any) -> bytes:
    return encrypt(Secret(json.dumps(pack(value))), table=_NAME, row=key, field="value", version=1)


def _decrypted(key: UUID, encrypted: bytes | None) -> Any:
    if encrypted is None:
        return None
    opened = decrypt(encrypted, table=_NAME, row=key, field="value", version=1)
    return unpack(json.loads(opened.reveal()))


def _pack_ours(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, ProviderError):
        return None
    if isinstance(value, Enum):
        return value.value
    return {field.name: pack(getattr(value, field.name)) for field in fields(value)}


def _unpack_ours(name: str, content: Any) -> Any:
    module, _colon, kind = name.partition(":")
    record_type: Any = getattr(import_module(module), kind) if module.startswith(_OURS) else None
    if not isinstance(record_type, type):
        raise ValueError(f"{name} is not ours")
    if issubclass(record_type, ProviderError):
        return record_type
    if issubclass(record_type, Enum):
        return record_type(content)
    if is_dataclass(record_type):
        return record_type(**{field: unpack(each) for field, each in content.items()})
    raise ValueError(f"{name} is no record")


# How to serialize and parse each type.
_WRITTEN: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    tuple: (lambda value: [pack(each) for each in value], lambda packed: tuple(unpack(each) for each in packed)),
    dict: (
        lambda value: {key: pack(each) for key, each in value.items()},
        lambda packed: {key: unpack(each) for key, each in packed.items()},
    ),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    date: (date.isoformat, date.fromisoformat),
    timedelta: (timedelta.total_seconds, lambda packed: timedelta(seconds=packed)),
    UUID: (str, UUID),
}
_READ = {kind.__name__: read for kind, (_write, read) in _WRITTEN.items()}
