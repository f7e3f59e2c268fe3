"""Checks a typed code, of an authenticator app or for recovery. Attempts are counted first."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts import limits
from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from . import authenticator_apps, owned, recovery_codes

RECOVERY_CODE = "recovery code"


def check(user: User, code: str) -> str:
    """Return the kind of factor that the code proves. Raises `limits.TooManyAttempts`, or ValidationError."""
    attempt = limits.count_factor(user)
    if authenticator_apps.accepts(user, code):
        attempt.succeeded()
        return owned.APP
    if recovery_codes.use(user, code):
        attempt.succeeded()
        return RECOVERY_CODE
    record(
        actor=None,
        action=Action.FACTOR_REJECTED,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.REJECTED,
    )
    raise ValidationError(_("Wrong code. Each code works only once: wait for your app's next one."), code="wrong")
