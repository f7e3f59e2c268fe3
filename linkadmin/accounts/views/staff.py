"""Staff: the list, one person with their sessions, and invitations."""

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts import sessions
from linkadmin.accounts.external import mail
from linkadmin.accounts.factors import owned
from linkadmin.accounts.models import Invitation, User
from linkadmin.accounts.roles import Right, may
from linkadmin.accounts.single_sign_on import people
from linkadmin.accounts.staff import approvals, colleagues, invitations
from linkadmin.accounts.staff.forms import ColleagueForm, NewColleagueForm
from linkadmin.audit.log import Outcome
from linkadmin.paging import Keyset
from linkadmin.providers.names import isolated
from linkadmin.web.badges import StateBadge
from linkadmin.web.pages import go, no_compression, reader

WITHOUT = "none"  # a second factor


@require_safe
def staff_list(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("factor", "")
    if chosen not in ("", WITHOUT):
        raise BadRequest("a filter has a value it does not offer")
    page = Keyset("username", "id").page(owned.without_any() if chosen else User.objects.all(), request.GET)
    context = {
        "rows": _rows(page.rows),
        "page": page,
        "chosen": chosen,
        "without": WITHOUT,
        "no_factor": StateBadge("quiet", "circle-alert", _("None")),
        "may_change": may(request.user, Right.MANAGE_STAFF),
        "has_requests": approvals.pending().exists(),
    }
    return render(request, "staff/list.html", context)


def _rows(staff: Collection[User]) -> list[dict[str, object]]:
    shown = [each.pk for each in staff]
    invited = set(Invitation.objects.filter(user__in=shown).values_list("user", flat=True))
    waiting = set(approvals.pending().filter(person__in=shown).values_list("person", flat=True))
    without = set(owned.without_any().filter(pk__in=shown).values_list("pk", flat=True))
    return [
        {
            "person": each,
            "is_invited": each.pk in invited,
            "is_waiting": each.pk in waiting,
            "has_no_factor": each.pk in without,
        }
        for each in staff
    ]


@no_compression
@require_http_methods(["GET", "HEAD", "POST"])
def staff_new(request: HttpRequest) -> HttpResponse:
    if not settings.PASSWORD_SIGN_IN:
        raise Http404
    form = NewColleagueForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        code = colleagues.add(form.instance, by=reader(request))
        return _invitation(request, form.instance, code)
    return render(request, "staff/new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def staff_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    person, user = get_object_or_404(User, pk=pk), reader(request)
    data = request.POST if request.method == "POST" else None
    form = ColleagueForm(data, instance=person, reader=user) if may(user, Right.MANAGE_STAFF) else None
    if form and form.is_valid():
        if form.changed_data:
            waits = colleagues.update(person, form.changed_data, by=user)
            saved = _("Approval requested.") if waits else _("Changes saved.")
            messages.success(request, saved)
        return go(request, _url(person))
    if form and form.is_bound:
        person.refresh_from_db()
    context = {
        "person": person,
        "form": form,
        "invitation": Invitation.objects.filter(user=person).first(),
        "sessions": sessions.sessions_of(person),
        "has": owned.owned_by(person),
        "signs_in_there": people.signs_in_there(person),
        "is_own": person == user,
        **_approval(user, person),
    }
    return render(request, "staff/person.html", context, status=422 if form and form.is_bound else 200)


@no_compression
@require_POST
def staff_invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new link for somebody else: nobody replaces their own password without the old one."""
    person = get_object_or_404(User, pk=pk)
    _only_for_passwords(request, person)
    return _invitation(request, person, invitations.invite(person, by=reader(request)))


@no_compression
@sensitive_post_parameters()
@sensitive_variables()
@require_POST
def staff_invite_by_mail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The code comes from the page that shows it, because it's stored nowhere."""
    person, code = get_object_or_404(User, pk=pk), request.POST.get("code", "")
    _only_for_passwords(request, person)
    if not _may_mail(person) or not invitations.is_for(person, code):
        messages.warning(request, _("This link can't be used anymore. Create another invitation."))
        return go(request, _url(person))
    result = mail.send_invitation(person, _link(request, code), by=reader(request))
    if result.outcome is not Outcome.DONE:
        return _invitation(request, person, code, result)
    messages.success(request, _("Invitation sent to %(email)s.") % {"email": person.email})
    return go(request, _url(person))


@require_POST
def staff_end_sessions(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    ended = sessions.end_all(person, actor=reader(request))
    text = ngettext("%(count)d session ended.", "%(count)d sessions ended.", ended)
    messages.success(request, text % {"count": ended})
    return go(request, _url(person))


@no_compression
@require_POST
def staff_reset_factors(request: HttpRequest, pk: UUID) -> HttpResponse:
    """For a colleague who lost their device. For oneself, another administrator does it."""
    person = get_object_or_404(User, pk=pk)
    _only_for_passwords(request, person)
    code = colleagues.reset(person, by=reader(request))
    messages.success(request, _("Second factors and password reset, and all sessions ended."))
    return _invitation(request, person, code)


def _invitation(request: HttpRequest, person: User, code: str, result: mail.SendResult | None = None) -> HttpResponse:
    context = {
        "person": person,
        "name": isolated(person.display_name),
        "link": _link(request, code),
        "code": code,
        "may_mail": _may_mail(person),
        "result": result,
    }
    return render(request, "staff/invitation.html", context)


def _only_for_passwords(request: HttpRequest, person: User) -> None:
    """Whose password and second factors a colleague may reset: nobody's own, and nobody's with single sign-on."""
    if person == reader(request) or people.signs_in_there(person):
        raise PermissionDenied


def _link(request: HttpRequest, code: str) -> str:
    """The code follows a #, which browsers send to no server: no log has it."""
    return f"{request.build_absolute_uri(reverse('join'))}#{code}"


def _may_mail(person: User) -> bool:
    return bool(settings.MAIL_SERVER and person.email)


def _approval(user: User, person: User) -> dict[str, object]:
    waiting = approvals.pending().filter(person=person).first()
    if waiting is None or not may(user, Right.MANAGE_STAFF):
        return {"approval": waiting}
    decisions = approvals.decisions_of(user, waiting)
    needs_host = not approvals.approvers(waiting).exists()
    subject = people.subject_of(person) if settings.IDENTITY_PROVIDER else ""
    return {"approval": waiting, "decisions": decisions, "needs_host": needs_host, "subject": subject}


def _url(person: User) -> str:
    return reverse("staff-detail", args=[person.pk])
