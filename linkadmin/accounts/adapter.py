"""allauth's behavior here: no sign-up, redirects to our own paths only, and few messages."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.web.proxies import client_address

from . import limits, sessions
from .models import User
from .single_sign_on import people
from .staff import approvals


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("Wrong username or password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        return url is not None and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def get_login_stages(self) -> list[str]:
        return ["linkadmin.accounts.factors.stage.FactorStage"]

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Don't count here: the backend counts every attempt, whichever form it comes from."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Reject an inactive account like a wrong password, so that the page doesn't reveal which it was.

        Raises ValidationError for the right password of somebody who just chose it, or uses single sign-on.
        """
        if not settings.PASSWORD_SIGN_IN:
            named = User.objects.named(credentials["username"])
            limits.count(request, credentials["username"], named)
            sessions.record_rejected(named, reason="passwords off")
            raise ValidationError(people.sign_in_there())
        user: User | None = super().authenticate(request, **credentials)
        if user is None:
            return None
        if not user.is_active:
            if approvals.is_waiting(user):
                raise ValidationError(_("A second person has to approve your password before you can sign in."))
            return None
        if people.signs_in_there(user):
            sessions.record_rejected(user, reason="single sign-on only")
            raise ValidationError(people.sign_in_there())
        return user

    def login(self, request: HttpRequest, user: User) -> None:
        """Record the sign-in and save its session, both or neither. A session that isn't saved isn't signed in."""
        with request.session.saved_together():  # type: ignore[attr-defined]
            super().login(request, user)

    def logout(self, request: HttpRequest) -> None:
        with transaction.atomic():
            super().logout(request)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        limits.remember_device(request, response, user)
        return response

    def set_password(self, user: User, password: str) -> None:
        with transaction.atomic():
            user.set_password(password)
            user.save(update_fields=["password"])  # an administrator may just have changed the rest
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
        # The page itself shows who is signed in.
        if message_template == "account/messages/password_changed.txt":
            messages.success(request, _("Your password was changed. You're now signed out everywhere else."))
