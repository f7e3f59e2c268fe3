"""A link's page (status, next step, details) and its full history."""

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.actions import ObjectType
from linkadmin.exports import Export
from linkadmin.ids import url_of
from linkadmin.integrations.limits import Limits
from linkadmin.links.forms import NoteForm
from linkadmin.links.health_calendar import health_calendar
from linkadmin.links.models import Link, RepairRequest
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations import reading, refusals
from linkadmin.operations.models import Operation
from linkadmin.operations.presentation.buttons import head_of, menu_of, ways_on
from linkadmin.operations.presentation.evidence import evidence_for
from linkadmin.operations.presentation.explanations import explain
from linkadmin.operations.presentation.repair_requests import is_waiting, under_way_by
from linkadmin.operations.recent import RecentOperations
from linkadmin.operations.timeline import pages
from linkadmin.paging import without_place
from linkadmin.providers.types import HealthState
from linkadmin.web.pages import draw, go, reader, uncompressed

from .live import shown_version
from .repair import repair_on


@never_cache
@require_safe
def link_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    link, user, kind = link_for(request, pk), reader(request), _kind_in(request.GET)
    seen(request, link, link.end_user, page="link")
    limits, recent = _limits_of(link), RecentOperations.of(link)
    last, budget = recent.latest, recent.budget
    asked: RepairRequest | None = getattr(link, "open_request", None)
    head = head_of(link, last, user=user, budget=budget, limits=limits, asked=under_way_by(asked, link))
    context = {
        "link": link,
        "page_version": shown_version(link, last, limits.breaker, asked),
        "repair_request": asked if asked and is_waiting(asked, link) else None,
        "integration_alerts": limits.alerts,
        "head": head,
        "evidence": evidence_for(link),
        "menu": menu_of(link, last, head, user=user, budget=budget),
        "operation": last,
        "explanation": explain(last) if last and not last.is_done and _is_explained(last, link) else None,
        "budget": budget,
        "ways": None if link.is_disconnected or link.is_verifying else ways_on(link, budget, user=user),
        "tabs": pages.tabs(link, kind),
        "timeline": pages.latest(link, see_names=may(user, Right.SEE_NAMES), kind=kind),
        "calendar": health_calendar(link, today=timezone.localdate(), history_url=url_of("link-history", link.pk)),
        "why_unread": limits.why_paused("read_link"),
        "may_refresh": may(user, Right.REFRESH) and not link.is_disconnected,
        "note_form": NoteForm() if may(user, Right.ORGANIZE_LINKS) else None,
        "checked_in_list": link.last_checked_at != link.checked_at,
        **repair_on(link, recent, user=user, standing=head.standing, limits=limits),
    }
    drawn = draw(request, "operations/link.html", "timeline", context)
    return uncompressed(drawn) if "challenge" in context else drawn


def _kind_in(query: QueryDict) -> str:
    kinds = _kinds(query)
    return kinds[0] if kinds else ""


@require_POST
def link_refresh(request: HttpRequest, pk: UUID) -> HttpResponse:
    # Never contacts the bank.
    link, looked_at = link_for(request, pk), timezone.now()
    try:
        answered = reading.refresh(actor=reader(request), link=link, seconds=settings.OPERATION_ANSWER_SECONDS)
    except refusals.Refusal as refusal:
        messages.warning(request, str(refusal.words))
        return go(request, link.get_absolute_url())
    link.refresh_from_db()
    if not answered:
        messages.info(request, _("Still contacting the provider. The result will appear on this page."))
    elif link.check_failed:
        messages.warning(
            request,
            _("The status check failed. %(why)s What you see may be out of date.") % {"why": link.why_check_failed},
        )
    elif link.checked_at is None or link.checked_at < looked_at:
        messages.warning(
            request, _("Something went wrong on our side, and we've logged it. What you see may be out of date.")
        )
    else:
        messages.success(request, _("Status checked just now."))
    return go(request, link.get_absolute_url())


def _limits_of(link: Link) -> Limits:
    """Also lets link and institution share the integration that was read."""
    limits = Limits.of(link.integration_id)
    link.integration = limits.integration
    if link.institution:
        link.institution.integration = limits.integration
    return limits


def _is_explained(operation: Operation, link: Link) -> bool:
    is_repaired = operation.logs_in and (link.is_verifying or link.health == HealthState.HEALTHY.value)
    recent = (timezone.now() - operation.began_at).total_seconds() < 24 * 3600
    return recent and not operation.is_open and not is_repaired


@never_cache
@require_safe
def link_history(request: HttpRequest, pk: UUID) -> HttpResponse:
    link, query = link_for(request, pk), request.GET
    kinds = _kinds(query)
    see_names = may(reader(request), Right.SEE_NAMES)
    seen(request, link, link.end_user, page="history")
    with _clock(query):
        context = {
            "link": link,
            "page": pages.page_of(link, kinds, query, see_names=see_names),
            "pills": pages.kind_pills(query, kinds),
            "all_kinds_url": pages.every_kind(query),
            "is_filtered": bool(kinds),
            "oldest_first": query.get("order") == pages.OLDEST_FIRST,
            "order_url": pages.switched(without_place(query), "order", pages.OLDEST_FIRST),
            "in_utc": _wants_utc(query),
            "utc_url": pages.switched(query, "utc", "1"),
            "zone": timezone.get_current_timezone_name(),
        }
        return draw(request, "operations/history.html", "results", context)


@require_GET
def link_history_export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    link, kinds = link_for(request, pk), _kinds(request.GET)
    entries = pages.entries_of(link, kinds, request.GET, see_names=may(reader(request), Right.SEE_NAMES))
    lines = exports.of_texts(pages.EXPORTED, entries)
    filters = [("kind", kind) for kind in kinds]
    return exports.download(request, Export("history", *lines, filters=filters, about=(ObjectType.LINK, link.pk)))


def _kinds(query: QueryDict) -> list[str]:
    try:
        return pages.kinds_of(query)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _clock(query: QueryDict) -> AbstractContextManager[object]:
    return timezone.override(UTC) if _wants_utc(query) else nullcontext()


def _wants_utc(query: QueryDict) -> bool:
    return query.get("utc") == "1"
