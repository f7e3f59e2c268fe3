"""Who is near a limit or has reached one, and lifting it for an hour."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.views.live import PageVersion, answer, version_of
from linkadmin.providers.names import isolated
from linkadmin.staff_limits.kinds import LimitKind
from linkadmin.staff_limits.lifting import lift
from linkadmin.staff_limits.models import LimitUse
from linkadmin.staff_limits.usage import near_or_over, noteworthy, usages_of
from linkadmin.web.pages import draw, go, reader

from .forms import LiftForm

LIVE_SECONDS = 3  # between polls of an open page


@require_safe
def staff_limits(request: HttpRequest) -> HttpResponse:
    user = reader(request)
    context = {
        "page_version": PageVersion(reverse("staff-limits-live"), _version(), LIVE_SECONDS),
        "usages": near_or_over(),
        "reader": user,
        "may_lift": may(user, Right.LIFT_LIMIT),
        "may_view_staff": may(user, Right.VIEW_STAFF),
    }
    return render(request, "reports/staff_limits.html", context)


@require_safe
def staff_limits_live(request: HttpRequest) -> HttpResponse:
    return answer(request, _version(), LIVE_SECONDS)


@require_http_methods(["GET", "HEAD", "POST"])
def staff_limit_lift(request: HttpRequest, pk: UUID, kind: str) -> HttpResponse:
    person, user = get_object_or_404(User, pk=pk), reader(request)
    usage = next((each for each in usages_of(person) if each.kind == kind), None)
    if usage is None:
        raise Http404
    if person == user:
        raise PermissionDenied
    if usage.lift or not (usage.is_near or usage.is_reached):
        messages.info(
            request, _("You don't need to lift this limit: it's lifted already, or this person isn't near it.")
        )
        return go(request, reverse("staff-limits"))
    form = LiftForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        lift(person, LimitKind(kind), by=user, reason=form.cleaned_data["reason"])
        messages.success(request, _("Limit of %(name)s lifted for 1 hour.") % {"name": isolated(person.display_name)})
        return go(request, reverse("staff-limits"))
    context = {"person": person, "usage": usage, "form": form}
    return draw(request, "reports/lift_limit.html", "form", context, status=422 if form.is_bound else 200)


def _version() -> str:
    """Also changes each minute: what was counted an hour ago no longer counts."""
    facts = LimitUse.objects.filter(noteworthy()).order_by("pk")
    minute = timezone.now().replace(second=0, microsecond=0)
    return version_of(minute, *facts.values_list("pk", "used", "warned_at", "reached_at", "lifted_until"))
