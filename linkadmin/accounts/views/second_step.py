"""Signing in with a second factor, with a passkey alone, and confirming who somebody is."""

from http import HTTPStatus
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.account.stages import LoginStageController
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from linkadmin.accounts import limits, sessions
from linkadmin.accounts.factors import confirmation, owned, passkeys
from linkadmin.accounts.factors.forms import ConfirmationForm, PasskeyConfirmForm, PasskeyForm, SecondFactorForm
from linkadmin.accounts.factors.stage import FactorStage
from linkadmin.accounts.models import User
from linkadmin.accounts.single_sign_on import people
from linkadmin.web.pages import reader


@login_stage_required(stage=FactorStage.key, redirect_urlname="account_login")  # type: ignore[untyped-decorator]
@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_factor(request: HttpRequest) -> HttpResponse:
    stage: FactorStage = request._login_stage  # type: ignore[attr-defined]
    user = stage.person
    if user is None:
        return stage.abort()  # type: ignore[no-any-return]
    form = SecondFactorForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        request.proved_factor = form.factor  # type: ignore[attr-defined]
        return stage.exit()  # type: ignore[no-any-return]
    context = {"form": form, "has_passkey": owned.owned_by(user).has_passkey, "next": stage.login.redirect_url}
    return render(request, "account/factor.html", context, status=422 if form.is_bound else 200)


@require_POST
def sign_in_passkey_options(request: HttpRequest) -> HttpResponse:
    try:
        limits.count_challenge(request)
    except limits.TooManyAttempts:
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS)  # the page's other way remains
    return JsonResponse(passkeys.request_options())


@require_POST
def sign_in_passkey(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    try:
        user = _owner_of_passkey(request)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect(f"{reverse('account_login')}?{urlencode({'next': onward(request)})}")
    login = Login(user=user, redirect_url=onward(request))
    LoginStageController(request, login).set_handled(FactorStage.key)
    request.proved_factor = owned.PASSKEY  # type: ignore[attr-defined]
    return perform_login(request, login)  # type: ignore[no-any-return]


def _owner_of_passkey(request: HttpRequest) -> User:
    """Raises ValidationError, which is all that a rejected passkey leaves."""
    attempt = limits.count_unnamed(request)
    form = PasskeyForm(request.POST)
    try:
        user = passkeys.owner_of(form.cleaned_data["credential"] if form.is_valid() else {})
    except passkeys.InvalidResponse:
        sessions.record_rejected(None)
        raise ValidationError(_("This passkey wasn't accepted. Try again, or sign in with your password.")) from None
    attempt.succeeded()
    if people.signs_in_there(user):
        sessions.record_rejected(user, reason="single sign-on only")
        raise ValidationError(people.sign_in_there())
    return user


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    user = reader(request)
    if people.signs_in_there(user):
        return render(
            request, "account/confirm_there.html", {"next": onward(request), "home": settings.LOGIN_REDIRECT_URL}
        )
    has = owned.owned_by(user)
    sent = request.POST if request.method == "POST" else None
    by_passkey = PasskeyConfirmForm(sent, user=user) if sent and "credential" in sent else None
    form = ConfirmationForm(None if by_passkey else sent, request=request, user=user, needs_code=bool(has.factors))
    valid = by_passkey or form
    if valid.is_valid():
        confirmation.confirm(request, user, owned.PASSKEY if by_passkey else form.factor)
        return redirect(onward(request))
    context = {
        "form": form,
        "passkey_errors": by_passkey.errors.get("credential") if by_passkey else None,
        "has": has,
        "next": onward(request),
        "home": settings.LOGIN_REDIRECT_URL,
    }
    return render(request, "account/confirm.html", context, status=422 if valid.is_bound else 200)


@require_POST
def confirm_passkey_options(request: HttpRequest) -> HttpResponse:
    return JsonResponse(passkeys.request_options(reader(request)))


def onward(request: HttpRequest) -> str:
    """The page of ours that somebody wanted, or the first one."""
    url = request.POST.get("next") or request.GET.get("next")
    return str(url) if url and get_adapter(request).is_safe_url(url) else settings.LOGIN_REDIRECT_URL
