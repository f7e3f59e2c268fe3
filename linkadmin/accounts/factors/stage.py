"""The step of a sign-in between password and session: the second factor, for those who have one."""

from typing import Any

from allauth.account.stages import LoginStage
from django.http import HttpResponse
from django.shortcuts import redirect

from linkadmin.accounts.models import User

from . import owned


class FactorStage(LoginStage):  # type: ignore[misc]  # allauth has no types
    key = "factor"
    urlname = "sign-in-factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user: User = self.login.user
        if not owned.has_any(user):
            return None, True
        self.state["stamp"] = user.session_stamp
        return redirect(self.urlname), True

    @property
    def person(self) -> User | None:
        """None if their password, role or access changed since they gave their password."""
        user: Any = self.login.user
        is_same = user is not None and user.is_active and user.session_stamp == self.state["stamp"]
        return user if is_same else None
