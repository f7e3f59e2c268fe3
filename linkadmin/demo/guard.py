"""Demo data never becomes production: its staff have a published password."""

from linkadmin.accounts.models import User

from .casting import id_of
from .names import STAFF

REFUSAL = (
    "This database contains demo staff with a published password, so Linkadmin doesn't start. Use "
    "another database, or set LINKADMIN_DEMO=1 if this is the demo."
)


def has_demo_staff() -> bool:
    """Raises DatabaseError."""
    return User.objects.filter(pk__in=[id_of("staff", username) for username, *_ in STAFF]).exists()
