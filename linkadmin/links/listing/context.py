"""The environment in the top bar of every page: of which lists and counts are."""

from typing import Any

from django.http import HttpRequest

from linkadmin.accounts.models import User

from .known import chosen_of, environments


def environment(request: HttpRequest) -> dict[str, Any]:
    """None where there's no integration yet. A choice where both environments have some."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not (existing := environments()):
        return {"environment": None, "may_switch": False}
    return {"environment": chosen_of(existing, user), "may_switch": len(existing) > 1}
