"""Who may what: the role matrix in words."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import CONFIRMED_ACTS, Right, Role, rights_of


@require_safe
def staff_roles(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("role", "")
    if chosen and chosen not in Role.values:
        raise BadRequest("there is no such role")
    shown = [role for role in Role if chosen in ("", role)]
    context = {
        "chosen": chosen,
        "roles": Role,
        "shown": shown,
        "rows": [(right.label, [(role.label, _answer(role, right)) for role in shown]) for right in Right],
    }
    return render(request, "staff/roles.html", context)


def _answer(role: Role, right: Right) -> str:
    """Empty for no."""
    rights = rights_of(User(roles=role))
    if right in rights:
        return _("After confirming") if right in CONFIRMED_ACTS else _("Yes")
    if right is Right.VIEW_ALL_CUSTOMERS and Right.VIEW_END_USERS in rights:
        return _("Only their own")
    return _("Masked") if right is Right.SEE_NAMES and Right.VIEW_END_USERS in rights else ""
