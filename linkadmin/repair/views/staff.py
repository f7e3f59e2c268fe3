"""Staff send a repair request and revoke it. Its URL is shown once: only its digest is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from linkadmin.accounts.external.mail import SendResult
from linkadmin.accounts.factors import confirmation
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.log import Outcome
from linkadmin.links.contacts import contact_of
from linkadmin.links.models import CustomerContact, Language, Link, RepairRequest
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations.presentation.repair_requests import way_of
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.records import RemoteSession
from linkadmin.repair import requests, sessions
from linkadmin.repair.channels import channels_to, deliver
from linkadmin.repair.decisions import Decision, decide
from linkadmin.repair.forms import RepairRequestForm
from linkadmin.repair.messages import default_text, with_url
from linkadmin.repair.sessions import NewVisit, WrongToken
from linkadmin.repair.tokens import url_of
from linkadmin.web.pages import draw, go, no_compression, reader


@never_cache
@no_compression
@sensitive_post_parameters()
@sensitive_variables("form", "chosen")
@require_http_methods(["GET", "HEAD", "POST"])
def link_repair_request(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    way, page = way_of(link), _Page(link, decide(link, now=timezone.now()), contact_of(link.end_user))
    if page.decision.why_not:
        return page.draw(request, None, status=409 if request.method == "POST" else 200)
    if way.needs_token and (unconfirmed := confirmation.refusal(request, Right.UPDATE_CREDENTIALS)):
        return unconfirmed
    form = page.form(request)
    if request.method != "POST" or not form.is_valid():
        seen(request, link, link.end_user, page="repair request")
        return page.draw(request, form, status=422 if form.is_bound else 200)
    try:
        made = _session(request, link, form.cleaned_data) if way.needs_token else None
    except (ProviderError, WrongToken) as error:
        form.note_no_page(error)
        return page.draw(request, form, status=422)
    try:
        sent, token = sessions.send(link, form.message(), by=reader(request), companion=way.companion, made=made)
    except requests.TooSoon:  # a colleague was faster
        page = _Page(link, decide(link, now=timezone.now()), page.contact)
        return page.draw(request, page.form(request), status=422)
    return _delivered(request, page, form, sent, token)


@require_POST
def link_repair_request_revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    if requests.revoke(link, by=reader(request)):
        messages.success(request, _("Repair request revoked. Its link no longer works."))
    else:
        messages.info(request, _("This link has no open repair request."))
    return go(request, link.get_absolute_url())


def _delivered(
    request: HttpRequest, page: "_Page", form: RepairRequestForm, sent: RepairRequest, token: str
) -> HttpResponse:
    origin = f"{request.scheme}://{request.get_host()}"
    if sent.channel == RepairRequest.Channel.COPY:
        text = with_url(sent.message, url_of(token, origin), sent.language, until=sent.expires_at)
        return render(request, "repair/sent.html", {"link": page.link, "sent": sent, "text": text})
    result = deliver(sent, token, origin=origin)
    requests.record_outcome(sent, result.outcome, by=reader(request))
    if result.outcome in requests.NEVER_ARRIVED:
        return page.draw(request, form, result)
    _announce(request, result.outcome)
    return go(request, page.link.get_absolute_url())


def _announce(request: HttpRequest, outcome: Outcome) -> None:
    if outcome is Outcome.DONE:
        messages.success(request, _("Repair request sent."))
    else:
        messages.warning(request, _("We don't know whether the repair request was sent. Ask the customer."))


@sensitive_variables()
def _session(request: HttpRequest, link: Link, chosen: Mapping[str, Any]) -> RemoteSession:
    """The page is created now, because the access token isn't stored."""
    companion = way_of(link).companion
    if companion is None:
        raise RuntimeError("only a companion takes an access token")
    return_url = request.build_absolute_uri(reverse("repair-back"))
    visit = NewVisit(chosen["language"], chosen["life"], return_url, chosen["access_token"])
    return sessions.create(link, companion, visit)


@dataclass(frozen=True, slots=True)
class _Page:
    """The page that sends a repair request."""

    link: Link
    decision: Decision
    contact: CustomerContact

    def form(self, request: HttpRequest) -> RepairRequestForm:
        needs: dict[str, Any] = {
            "channels": channels_to(self.contact),
            "needs_reason": self.decision.last_sent_at is not None,
            "needs_token": way_of(self.link).needs_token,
        }
        if request.method == "POST":
            return RepairRequestForm(request.POST, **needs)
        asked = request.GET.get("language", "")
        language = asked if asked in Language.values else self.contact.language or settings.CUSTOMER_LANGUAGE
        initial = {"language": language, "text": default_text(self.link, language)}
        return RepairRequestForm(initial=initial, **needs)

    def draw(
        self,
        request: HttpRequest,
        form: RepairRequestForm | None,
        result: SendResult | None = None,
        *,
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "link": self.link,
            "decision": self.decision,
            "form": form,
            "way": way_of(self.link),
            "channels": [each.value for each in channels_to(self.contact)],
            "lacks_email": bool(settings.MAIL_SERVER) and not self.contact.email,
            "email": self.contact.email if may(reader(request), Right.SEE_NAMES) else "",
            "result": result,
        }
        return draw(request, "repair/send.html", "text", context, status=status)
