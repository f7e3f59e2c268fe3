"""Where passwords are checked. Attempts are counted first, for sign-ins and for password changes."""

from typing import Any
from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.forms import ChangePasswordForm
from allauth.core import context
from django.http import HttpRequest

from linkadmin.compiled_query import CompiledQuery

from . import limits
from .models import User


class LimitedBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """allauth's backend, with limits checked before any password is hashed."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Raises TooManyAttempts, which the forms show."""
        username, password = credentials.get("username"), credentials.get("password")
        if not username or not password:
            return None
        counted = limits.count(request or HttpRequest(), username, User.objects.named(username))
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            counted.succeeded()
        return user

    def get_user(self, user_id: UUID) -> User | None:
        found = _USER.instances(user_id)
        return found[0] if found and self.user_can_authenticate(found[0]) else None


_USER = CompiledQuery(lambda pk: User.objects.filter(pk=pk))


class LimitedChangePasswordForm(ChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    """Limits attempts at the current password, so that nobody can guess it in an open session."""

    def clean_oldpassword(self) -> str:
        counted = limits.count(context.request, self.user.username, self.user)
        typed: str = super().clean_oldpassword()
        counted.succeeded()
        return typed
