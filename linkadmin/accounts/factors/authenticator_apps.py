"""Authenticator apps (TOTP): codes that change every 30 seconds, each accepted once by all processes together.

The app's key is encrypted for its owner. The last accepted time step is stored beside it: no code of that step or an
earlier one works again.
"""

import base64
from dataclasses import dataclass

import segno
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.encryption.box import DecryptionError, decrypt, encrypt
from linkadmin.providers.types import Secret

TABLE = "mfa_authenticator"  # part of the associated data
_STORED, _OFFERED = "key", "offered key"


class InvalidOffer(Exception):
    """What a form sent isn't a key that we offered to this person."""


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """A key that isn't stored yet: the person proves first that their app has it."""

    user: User
    key: Secret

    @property
    def encrypted(self) -> str:
        """For a hidden field of the form."""
        return base64.b64encode(_encrypt(self.user, self.key, _OFFERED)).decode()

    @property
    def typed(self) -> str:
        """In groups, for those who type it."""
        text = self.key.reveal()
        return " ".join(text[start : start + 4] for start in range(0, len(text), 4))

    @property
    def url(self) -> str:
        return str(get_adapter().build_totp_url(self.user, self.key.reveal()))

    @property
    def qr_code(self) -> tuple[int, str]:
        """Its width in squares, and the path of an SVG that draws them."""
        rows = segno.make_qr(self.url).matrix
        dark = ((x, y) for y, row in enumerate(rows) for x, square in enumerate(row) if square)
        return len(rows), "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)


def offer(user: User) -> OfferedKey:
    return OfferedKey(user, Secret(auth.generate_totp_secret()))


def offered(user: User, encrypted: str) -> OfferedKey:
    """Raises `InvalidOffer`."""
    try:
        return OfferedKey(user, _decrypt(user, base64.b64decode(encrypted, validate=True), _OFFERED))
    except (ValueError, DecryptionError):
        raise InvalidOffer from None


def add(given: OfferedKey, code: str) -> Authenticator | None:
    """Store the key if `code` comes from it. The app replaces the person's earlier one."""
    step = _step_of(code, given.key, after=0)
    if step is None:
        return None
    key = base64.b64encode(_encrypt(given.user, given.key, _STORED)).decode()
    values = {"data": {"key": key, "step": step}, "created_at": timezone.now(), "last_used_at": None}
    added, _created = Authenticator.objects.update_or_create(
        user=given.user, type=Authenticator.Type.TOTP, defaults=values
    )
    return added


@transaction.atomic
def accepts(user: User, code: str) -> bool:
    app = Authenticator.objects.select_for_update(no_key=True).filter(user=user, type=Authenticator.Type.TOTP).first()
    if app is None:
        return False
    step = _step_of(code, _decrypt(user, base64.b64decode(app.data["key"]), _STORED), after=app.data["step"])
    if step is None:
        return False
    app.data["step"], app.last_used_at = step, timezone.now()
    app.save(update_fields=["data", "last_used_at"])
    return True


def _step_of(code: str, key: Secret, *, after: int) -> int | None:
    for step in auth.yield_hotp_counters_from_time():
        expected = auth.format_hotp_value(auth.hotp_value(key.reveal(), step))
        if step > after and compare_user_code(actual=code, expected=expected):
            return int(step)
    return None


def _encrypt(user: User, key: Secret, field: str) -> bytes:
    return encrypt(key, table=TABLE, row=user.pk, field=field, version=1)


def _decrypt(user: User, encrypted: bytes, field: str) -> Secret:
    return decrypt(encrypted, table=TABLE, row=user.pk, field=field, version=1)
