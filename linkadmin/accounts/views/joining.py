"""Where an invitation's link leads: the code, then a password of one's own."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from linkadmin.accounts.staff import invitations
from linkadmin.accounts.staff.forms import NewPasswordForm
from linkadmin.providers.names import isolated
from linkadmin.web.pages import no_compression


@no_compression
@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """joining.js posts the code of the link that was opened. Without it, people paste the link."""
    if not settings.PASSWORD_SIGN_IN:
        return redirect("account_login")
    if request.method != "POST":
        return render(request, "account/join.html")
    code = request.POST.get("code", "").rpartition("#")[2].strip()
    try:
        return _choose_password(request, code)
    except invitations.NoInvitation:
        return render(request, "account/join.html", {"is_over": True}, status=422)


@sensitive_variables()
def _choose_password(request: HttpRequest, code: str) -> HttpResponse:
    user = invitations.invited(code)
    form = NewPasswordForm(request.POST if "password" in request.POST else None, user=user)
    if form.is_valid():
        invitations.accept(code, form.cleaned_data["password"])
        saved = _("Password saved. You can sign in as %(username)s once a second person approves it.")
        messages.success(request, saved % {"username": isolated(user.username)})
        return redirect("account_login")
    context = {"person": user, "form": form, "code": code}
    return render(request, "account/new_password.html", context, status=422 if form.is_bound else 200)
