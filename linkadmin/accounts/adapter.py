"""How allauth behaves here: no sign-up, own paths only, no talk."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.web.proxies import client_address

from . import limits
from .models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("Wrong username or password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Say whether to go there after log-in: to our own paths, and nowhere else."""
        return url is not None and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count nothing here: the backend does, whoever calls it."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Treat a disabled account like a wrong password: the page does not tell which it was."""
        user = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None

    def login(self, request: HttpRequest, user: User) -> None:
        """Record the sign-in, and save its session, both or neither: whose session isn't saved is not signed in."""
        with request.session.saved_together():  # type: ignore[attr-defined]
            super().login(request, user)

    def logout(self, request: HttpRequest) -> None:
        with transaction.atomic():
            super().logout(request)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Let the browser be known from now on."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        limits.remember_device(request, response, user)
        return response

    def set_password(self, user: User, password: str) -> None:
        """Save a member's new password, on the record."""
        with transaction.atomic():
            super().set_password(user, password)
            record(
                actor=user,
                action=Action.PASSWORD_CHANGED,
                object_type=ObjectType.STAFF,
                object_id=user.id,
                outcome=Outcome.DONE,
            )

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return str(self.get_login_redirect_url(request))

    def add_message(
        self, request: HttpRequest, level: int, message_template: str = "", *args: Any, **kwargs: Any
    ) -> None:
        """Speak about a changed password only: that one is logged in, or out, the page shows."""
        if message_template == "account/messages/password_changed.txt":
            messages.success(request, _("Your password was changed. You're now signed out everywhere else."))
