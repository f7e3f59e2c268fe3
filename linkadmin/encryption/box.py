"""Encrypts secrets at rest, bound to their row and column.

AES-256-GCM through tink. The associated data names environment, table, row, field and version, so a copied
ciphertext can't be decrypted anywhere else.
"""

import base64
import hashlib
import hmac
from functools import lru_cache
from uuid import UUID

import tink
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from tink import aead, secret_key_access

from linkadmin.providers.types import Secret


class DecryptionError(Exception):
    """A value can't be decrypted: another key ring, or it was moved or changed."""


def encrypt(secret: Secret, *, table: str, row: UUID, field: str, version: int) -> bytes:
    return bytes(_box().encrypt(secret.reveal().encode(), _place(table, row, field, version)))


def decrypt(encrypted: bytes | memoryview, *, table: str, row: UUID, field: str, version: int) -> Secret:
    """Raises `DecryptionError` if the value wasn't encrypted for this row and field."""
    try:
        return Secret(_box().decrypt(bytes(encrypted), _place(table, row, field, version)).decode())
    except tink.TinkError:
        raise DecryptionError(f"{table}.{field} of row {row} can't be decrypted with the present keys") from None


def fingerprint(secret: Secret) -> str:
    """Return eight hex digits that distinguish two secrets and reveal nothing else."""
    key = hashlib.sha256(b"linkadmin-fingerprint" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, secret.reveal().encode(), hashlib.sha256).hexdigest()[:8]


def _place(table: str, row: UUID, field: str, version: int) -> bytes:
    parts = (settings.ENVIRONMENT, table, str(row), field, str(version))
    return b"\x00".join(base64.b64encode(part.encode()) for part in parts)


@lru_cache(maxsize=1)
def _box() -> aead.Aead:
    if not settings.SEALING_KEYSET:
        raise ImproperlyConfigured(
            "LINKADMIN_SEALING_KEYSET isn't set. Run manage.py makekeys, or set LINKADMIN_SEALING_KEYSET_FILE."
        )
    aead.register()
    handle = tink.json_proto_keyset_format.parse(settings.SEALING_KEYSET, secret_key_access.TOKEN)
    return handle.primitive(aead.Aead)
