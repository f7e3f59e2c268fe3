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
        owned.add_passkey(user, name, form.cleaned_data["credential"])
    except passkeys.InvalidResponse:
        form.add_error(None, _("This passkey couldn't be added. Try again."))
        return _choice(request, form)
    return _added(request, owned.PASSKEY, _("Passkey added."))


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
        if owned.add_app(offer, form.cleaned_data["code"]):
            return _added(request, owned.APP, _("Authenticator app added."))
        form.add_error("code", _("Wrong code. Check that your device's time is right."))
    context = {"form": form, "offer": offer}
    return render(request, "account/factor_app.html", context, status=422 if form.is_bound else 200)


@require_POST
def remove_factor(request: HttpRequest, pk: int) -> HttpResponse:
    user = reader(request)
    if settings.SECOND_FACTOR_REQUIRED and len(owned.owned_by(user).factors) == 1:
        messages.error(request, _("You need a second factor. Add another one before you remove this one."))
    elif owned.remove(user, pk):
        messages.success(request, _("Second factor removed."))
    else:
        raise Http404
    return redirect("own-security")


@no_compression
@require_POST
def new_recovery_codes(request: HttpRequest) -> HttpResponse:
    if not owned.has_any(reader(request)):
        raise Http404
    return _codes(request)


def _choice(request: HttpRequest, form: NewPasskeyForm) -> HttpResponse:
    context = {"form": form, "has": owned.owned_by(reader(request)), "must": confirmation.lacks_factor(request)}
    return render(request, "account/factor_new.html", context, status=422 if form.is_bound else 200)


def _added(request: HttpRequest, kind: str, done: str) -> HttpResponse:
    """Their first factor comes with recovery codes."""
    user = reader(request)
    confirmation.confirm(request, user, kind)
    messages.success(request, done)
    return redirect("own-security") if owned.owned_by(user).codes_left else _codes(request)


def _codes(request: HttpRequest) -> HttpResponse:
    codes = "\n".join(recovery_codes.renew(reader(request)))
    return render(request, "account/recovery_codes.html", {"codes": codes, "home": settings.LOGIN_REDIRECT_URL})
