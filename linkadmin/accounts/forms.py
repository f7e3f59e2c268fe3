"""allauth's forms, where a password is checked outside of a sign-in."""

from allauth.account.forms import ChangePasswordForm
from allauth.core import context

from . import limits


class LimitedChangePasswordForm(ChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    """The present password is a password like any other: nobody may guess it in a session left open."""

    def clean_oldpassword(self) -> str:
        counted = limits.count(context.request, self.user.username, self.user)
        typed: str = super().clean_oldpassword()
        counted.succeeded()
        return typed
