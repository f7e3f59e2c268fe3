"""A one-time way in from the host, for when the identity provider lets nobody in.

A code is signed, not stored. Using it changes the account's stamp, on which the code depends.
"""

from uuid import UUID

from django.core import signing

from linkadmin.accounts.models import User, new_stamp

MINUTES = 15
FACTOR = "access recovered"  # as sessions and the audit log name it
_SALT = "linkadmin.accounts.recovery"


def code_for(user: User) -> str:
    stamp = User.objects.values_list("session_stamp", flat=True).get(pk=user.pk)
    return signing.dumps([user.pk.hex, stamp], salt=_SALT)


def use(code: str) -> User | None:
    """Return whose code this is, once. None for any other code."""
    try:
        key, stamp = signing.loads(code, salt=_SALT, max_age=MINUTES * 60)
    except signing.BadSignature:
        return None
    unused = User.objects.filter(pk=UUID(key), session_stamp=stamp, is_active=True)
    return User.objects.get(pk=UUID(key)) if unused.update(session_stamp=new_stamp()) else None
