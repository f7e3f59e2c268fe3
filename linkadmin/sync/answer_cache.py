"""What providers answered a moment ago, encrypted in Django's cache: every web process finds it, and it soon expires.

A lost entry costs a new question, so a cache that can't be used is as good as an empty one.
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.core.cache import cache

from linkadmin.integrations.encryption import decrypt, encrypt
from linkadmin.providers.types import Secret

from . import record_json

logger = structlog.get_logger(__name__)

T = TypeVar("T")
_NAME = "provider-answers"


def find(key: UUID) -> Any:
    """Return what is stored under a key; None if there is nothing that can be read here."""
    return _tried(lambda: _decrypted(key, cache.get(_key(key))))


def add(key: UUID, value: Any, *, seconds: float) -> bool:
    """Store a value unless there is one already; tell whether it was stored."""
    return bool(_tried(lambda: cache.add(_key(key), _encrypted(key, value), timeout=seconds)))


def store(key: UUID, value: Any, *, seconds: float) -> None:
    _tried(lambda: cache.set(_key(key), _encrypted(key, value), timeout=seconds))


def delete(key: UUID) -> None:
    _tried(lambda: cache.delete(_key(key)))


def _tried(use: Callable[[], T]) -> T | None:
    try:
        return use()
    except Exception as error:  # noqa: BLE001 - a server that is away, other keys, another release
        logger.warning("cache.not_used", error=type(error).__name__)
    return None


def _key(key: UUID) -> str:
    return f"{_NAME}:{key}"


def _encrypted(key: UUID, value: Any) -> bytes:
    return encrypt(Secret(json.dumps(record_json.pack(value))), table=_NAME, row=key, field="value", version=1)


def _decrypted(key: UUID, encrypted: bytes | None) -> Any:
    if encrypted is None:
        return None
    opened = decrypt(encrypted, table=_NAME, row=key, field="value", version=1)
    return record_json.unpack(json.loads(opened.reveal()))
