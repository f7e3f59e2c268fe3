"""Staff send a repair request and revoke it. Its URL is shown once: only its digest is stored."""

from collections.abc import Mapping
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

from linkadmin.accounts.factors import confirmation
from linkadmin.accounts.roles import Right
from linkadmin.links.contacts import contact_of
from linkadmin.links.models import Language, Link, RepairRequest
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations.presentation.repair_requests import way_of
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.records import RemoteSession
from linkadmin.repair import requests, sessions
from linkadmin.repair.decisions import Decision, decide
from linkadmin.repair.forms import RepairRequestForm
from linkadmin.repair.messages import default_text, with_url
from linkadmin.repair.requests import NewRequest
from linkadmin.repair.sessions import NewVisit, WrongToken
from linkadmin.web.pages import draw, go, no_compression, reader


@never_cache
@no_compression
@sensitive_post_parameters()
@sensitive_variables("form", "chosen")
@require_http_methods(["GET", "HEAD", "POST"])
def link_repair_request(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    decision, way = decide(link, now=timezone.now()), way_of(link)
    if decision.why_not:
        return _page(request, link, decision, None, status=409 if request.method == "POST" else 200)
    if way.needs_token and (unconfirmed := confirmation.refusal(request, Right.UPDATE_CREDENTIALS)):
        return unconfirmed
    form = _form(request, link, needs_reason=decision.last_sent_at is not None, needs_token=way.needs_token)
    if request.method != "POST" or not form.is_valid():
        seen(request, link, link.end_user, page="repair request")
        return _page(request, link, decision, form, status=422 if form.is_bound else 200)
    chosen = form.cleaned_data
    message = NewRequest(
        channel=RepairRequest.Channel.COPY,
        language=chosen["language"],
        text=chosen["text"],
        life=chosen["life"],
        reason=chosen.get("reason", ""),
    )
    try:
        made = _session(request, link, chosen) if way.needs_token else None
    except (ProviderError, WrongToken) as error:
        form.note_no_page(error)
        return _page(request, link, decision, form, status=422)
    sent, token = sessions.send(link, message, by=reader(request), companion=way.companion, made=made)
    url = request.build_absolute_uri(reverse("repair-request", args=[token]))
    text = with_url(sent.message, url, sent.language, until=sent.expires_at)
    return render(request, "repair/sent.html", {"link": link, "sent": sent, "text": text})


@require_POST
def link_repair_request_revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    if requests.revoke(link, by=reader(request)):
        messages.success(request, _("Repair request revoked. Its link no longer works."))
    else:
        messages.info(request, _("This link has no open repair request."))
    return go(request, link.get_absolute_url())


@sensitive_variables()
def _session(request: HttpRequest, link: Link, chosen: Mapping[str, Any]) -> RemoteSession:
    """The page is created now, because the access token isn't stored."""
    companion = way_of(link).companion
    if companion is None:
        raise RuntimeError("only a companion takes an access token")
    return_url = request.build_absolute_uri(reverse("repair-back"))
    visit = NewVisit(chosen["language"], chosen["life"], return_url, chosen["access_token"])
    return sessions.create(link, companion, visit)


def _form(request: HttpRequest, link: Link, **needs: bool) -> RepairRequestForm:
    if request.method == "POST":
        return RepairRequestForm(request.POST, **needs)
    asked = request.GET.get("language", "")
    language = asked if asked in Language.values else contact_of(link.end_user).language or settings.CUSTOMER_LANGUAGE
    initial = {"language": language, "text": default_text(link, language)}
    return RepairRequestForm(initial=initial, **needs)


def _page(
    request: HttpRequest, link: Link, decision: Decision, form: RepairRequestForm | None, *, status: int
) -> HttpResponse:
    context = {"link": link, "decision": decision, "form": form, "way": way_of(link)}
    return draw(request, "repair/send.html", "text", context, status=status)
