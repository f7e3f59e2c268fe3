"""Signing in and confirming at the identity provider, whose account is whose there, and the way in from the host."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.account.stages import LoginStageController
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts import limits, sessions
from linkadmin.accounts.factors import confirmation
from linkadmin.accounts.factors.stage import FactorStage
from linkadmin.accounts.models import User
from linkadmin.accounts.single_sign_on import flow, people, provider, recovery
from linkadmin.accounts.single_sign_on.forms import IdentityForm, RecoveryForm
from linkadmin.accounts.single_sign_on.provider import Unavailable, Untrusted
from linkadmin.web.pages import go, reader

from .second_step import onward

logger = structlog.get_logger(__name__)


@require_POST
def single_sign_on(request: HttpRequest) -> HttpResponse:
    """Leave for the identity provider. Not by redirect: our policy lets no form lead to another host."""
    _only_with_provider()
    try:
        if not request.user.is_authenticated:
            limits.count_challenge(request)
        url = flow.start(request, onward=onward(request), redirect_uri=_redirect_uri(request))
    except (Unavailable, Untrusted) as error:
        return _unavailable(request, error)
    except limits.TooManyAttempts as error:
        return _too_many(request, error)
    response = render(request, "account/single_sign_on.html", {"url": url})
    response.headers["Refresh"] = f"0; url={url}"
    return response


@sensitive_variables()
@require_safe
def single_sign_on_callback(request: HttpRequest) -> HttpResponse:
    _only_with_provider()
    visit = flow.finish(request)
    if visit is None:
        logger.warning("single_sign_on.unknown_visit")
        return _failed(request, "over", HTTPStatus.CONFLICT)
    try:
        return _confirm(request, visit) if visit.confirms else _sign_in(request, visit)
    except Unavailable as error:
        return _unavailable(request, error)
    except Untrusted as error:
        _rejected(request, str(error))
        return _failed(request, "untrusted", HTTPStatus.FORBIDDEN)
    except people.NoAccess as error:
        _rejected(request, error.reason, error.user)
        _leave(request)
        return _failed(request, error.reason, HTTPStatus.FORBIDDEN)
    except limits.TooManyAttempts as error:
        return _too_many(request, error)


@sensitive_variables()
def _sign_in(request: HttpRequest, visit: flow.Visit) -> HttpResponse:
    attempt = limits.count_unnamed(request)
    try:
        claims = _claims(request, visit)
    except Unavailable:
        attempt.succeeded()  # an outage shouldn't use up anybody's attempts
        raise
    attempt.succeeded()
    user = people.person_of(claims)
    # Their session there may be hours old.
    request.confirmed_at = provider.authenticated_at(claims) or 0  # type: ignore[attr-defined]
    return _let_in(request, user, people.FACTOR, visit.onward)


@sensitive_variables()
def _confirm(request: HttpRequest, visit: flow.Visit) -> HttpResponse:
    user = reader(request)
    claims = _claims(request, visit)
    if not people.is_theirs(claims, user):
        raise Untrusted("somebody else")
    at = provider.authenticated_at(claims)
    if at is None or at < visit.started_at - provider.CLOCK_SECONDS:
        raise Untrusted("no recent sign-in")
    if people.person_of(claims).roles != user.roles:
        _leave(request)
        return _failed(request, "new role", HTTPStatus.FORBIDDEN)
    confirmation.confirm(request, user, people.FACTOR)
    return redirect(visit.onward)


@sensitive_variables()
def _claims(request: HttpRequest, visit: flow.Visit) -> provider.Claims:
    if request.GET.get("iss", provider.identity_provider().issuer) != provider.identity_provider().issuer:
        raise Untrusted("another issuer")
    if not (code := request.GET.get("code")):
        raise Untrusted("no code")
    return provider.claims_for(code, verifier=visit.verifier, nonce=visit.nonce, redirect_uri=_redirect_uri(request))


def _let_in(request: HttpRequest, user: User, factor: str, url: str) -> HttpResponse:
    login = Login(user=user, redirect_url=url)
    LoginStageController(request, login).set_handled(FactorStage.key)
    request.proved_factor = factor  # type: ignore[attr-defined]
    return perform_login(request, login)  # type: ignore[no-any-return]


def _leave(request: HttpRequest) -> None:
    """Forget a session that has ended in the database."""
    request.session.flush()
    request.user = AnonymousUser()


def _rejected(request: HttpRequest, reason: str, user: User | None = None) -> None:
    sessions.record_rejected(user or (request.user if isinstance(request.user, User) else None), reason=reason)


def _unavailable(request: HttpRequest, error: Unavailable | Untrusted) -> HttpResponse:
    logger.error("single_sign_on.unavailable", reason=str(error))
    return _failed(request, "unavailable", HTTPStatus.SERVICE_UNAVAILABLE)


def _too_many(request: HttpRequest, error: limits.TooManyAttempts) -> HttpResponse:
    return _failed(request, "too many", HTTPStatus.TOO_MANY_REQUESTS, text=error.messages[0])


def _failed(request: HttpRequest, why: str, status: HTTPStatus, **context: Any) -> HttpResponse:
    context |= {"why": why, "home": settings.LOGIN_REDIRECT_URL}
    return render(request, "account/single_sign_on_failed.html", context, status=status)


def _redirect_uri(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("single-sign-on-callback"))


def _only_with_provider() -> None:
    if settings.IDENTITY_PROVIDER is None:
        raise Http404


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def recover_access(request: HttpRequest) -> HttpResponse:
    _only_with_provider()
    form = RecoveryForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        return _let_in(request, form.person, recovery.FACTOR, settings.LOGIN_REDIRECT_URL)
    return render(request, "account/recover_access.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def staff_identity(request: HttpRequest, pk: UUID) -> HttpResponse:
    _only_with_provider()
    person = get_object_or_404(User, pk=pk)
    if person == reader(request):
        raise PermissionDenied
    form = IdentityForm(request.POST if request.method == "POST" else None, person=person)
    if form.is_valid() and form.link(by=reader(request)):
        waits = form.cleaned_data["subject"]
        messages.success(request, _("Approval requested.") if waits else _("Single sign-on ended."))
        return go(request, reverse("staff-detail", args=[person.pk]))
    context = {"person": person, "form": form}
    return render(request, "staff/identity.html", context, status=422 if form.is_bound else 200)
