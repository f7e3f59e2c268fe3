"""Recovery codes, for those who lost their device. Each works once, and only digests are stored."""

import hashlib
import secrets

from django.db import transaction

from linkadmin.accounts.models import RecoveryCode, User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

COUNT = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none looks like another
_GROUPS, _LETTERS_PER_GROUP = 4, 4


@transaction.atomic
def renew(user: User) -> list[str]:
    """Replace all codes of a person. Return the new ones, which can't be read again."""
    codes = [_new() for _each in range(COUNT)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(code)) for code in codes)
    record(
        actor=user,
        action=Action.RECOVERY_CODES_CREATED,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
    )
    return codes


def use(user: User, code: str) -> bool:
    """True for one of two uses at the same time."""
    deleted, _by_model = RecoveryCode.objects.filter(user=user, digest=_digest(code)).delete()
    return deleted > 0


def _new() -> str:
    letters = (secrets.choice(_LETTERS) for _each in range(_GROUPS * _LETTERS_PER_GROUP))
    return "-".join("".join(group) for group in zip(*[letters] * _LETTERS_PER_GROUP, strict=True))


def _digest(code: str) -> str:
    letters = "".join(letter for letter in code.casefold() if letter.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()
