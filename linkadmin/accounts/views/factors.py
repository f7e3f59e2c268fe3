"""Second factors of one's own: adding, removing, and recovery codes."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts.factors import authenticator_apps, confirmation, owned, passkeys, recovery_codes
from linkadmin.accounts.factors.forms import NewAppForm, NewPasskeyForm
from linkadmin.accounts.session_store import FACTOR
from linkadmin.web.pages import no_compression, reader


@require_safe
def factor_new(request: HttpRequest) -> HttpResponse:
    return _choice(request, NewPasskeyForm())


@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    return JsonResponse(passkeys.creation_options(reader(request)))


@no_compression
@require_POST
def add_passkey(request: HttpRequest) -> HttpResponse:
    form, user = NewPasskeyForm(request.POST), reader(request)
    if not form.is_valid():
        return _choice(request, form)
    name = form.cleaned_data["name"] or request.session.get("browser", "")
    try:
        with request.session.saved_together():  # type: ignore[attr-defined]
            owned.add_passkey(user, name, form.cleaned_data["credential"])
            codes = _enroll(request, owned.PASSKEY)
    except passkeys.InvalidResponse:
        form.add_error(None, _("This passkey couldn't be added. Try again."))
        return _choice(request, form)
    return _added(request, codes, _("Passkey added."))


@no_compression
@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: HttpRequest) -> HttpResponse:
    user, sent = reader(request), request.POST if request.method == "POST" else None
    try:
        offer = authenticator_apps.offered(user, sent.get("key", "")) if sent else authenticator_apps.offer(user)
    except authenticator_apps.InvalidOffer:
        return redirect("factor-app")
    form = NewAppForm(sent, offer=offer)
    if form.is_valid():
        with request.session.saved_together():  # type: ignore[attr-defined]
            is_added = owned.add_app(offer, form.cleaned_data["code"])
            codes = _enroll(request, owned.APP) if is_added else []
        if is_added:
            return _added(request, codes, _("Authenticator app added."))
        form.add_error("code", _("Wrong code. Check that your device's time is right."))
    context = {"form": form, "offer": offer}
    return render(request, "account/factor_app.html", context, status=422 if form.is_bound else 200)


@require_POST
def remove_factor(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        if not owned.remove(reader(request), pk, keeps_one=settings.SECOND_FACTOR_REQUIRED):
            raise Http404
        messages.success(request, _("Second factor removed."))
    except owned.LastFactor:
        messages.error(request, _("You need a second factor. Add another one before you remove this one."))
    return redirect("own-security")


@no_compression
@require_POST
def new_recovery_codes(request: HttpRequest) -> HttpResponse:
    if not owned.has_any(reader(request)):
        raise Http404
    return _codes(request, recovery_codes.renew(reader(request)))


def _choice(request: HttpRequest, form: NewPasskeyForm) -> HttpResponse:
    context = {"form": form, "has": owned.owned_by(reader(request)), "must": confirmation.lacks_factor(request)}
    return render(request, "account/factor_new.html", context, status=422 if form.is_bound else 200)


def _enroll(request: HttpRequest, kind: str) -> list[str]:
    """Go on with a first factor. Return the recovery codes that come with it.

    A later factor confirms nothing: to add it, people don't prove an earlier one again.
    """
    user = reader(request)
    if not request.session.get(FACTOR):
        confirmation.confirm(request, user, kind)
    return [] if owned.owned_by(user).codes_left else recovery_codes.renew(user)


def _added(request: HttpRequest, codes: list[str], done: str) -> HttpResponse:
    messages.success(request, done)
    return _codes(request, codes) if codes else redirect("own-security")


def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    context = {"codes": "\n".join(codes), "home": settings.LOGIN_REDIRECT_URL}
    return render(request, "account/recovery_codes.html", context)
