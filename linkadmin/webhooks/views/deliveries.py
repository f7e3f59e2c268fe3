"""Pages of deliveries: the list, one delivery, and reprocessing."""

from uuid import UUID, uuid5

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin import exports
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may, rights_of
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.compiled_query import load
from linkadmin.exports import Export
from linkadmin.heartbeats import watch
from linkadmin.links.listing.table_heads import heads
from linkadmin.links.listing.table_rows import listed, rows
from linkadmin.links.models import Link
from linkadmin.links.queries import of_portfolio, portfolio_of, visible_to
from linkadmin.paging import PAGE_SIZE, Listing, Part
from linkadmin.staff_limits import shown
from linkadmin.wake_worker import wake_worker
from linkadmin.web.filter_menus import draw_menus, menus_of
from linkadmin.web.pages import draw, go, reader
from linkadmin.web.sorting import Sorting
from linkadmin.webhooks import acceptance, deliveries, payloads, presentation, queries, refusals
from linkadmin.webhooks.models import DeliveryLink, WebhookDelivery
from linkadmin.webhooks.presentation import IN_ROWS, delivery_rows, outcome_badge


@require_http_methods(["GET", "HEAD", "POST"])
def delivery_list(request: HttpRequest) -> HttpResponse:
    # Search words come in a POST body because they may be a customer's.
    words = _search_words(request)
    (chosen, found), sorting = _narrowed(request, words), _sorting(request)
    parts = chosen.parts if not words else [Part(chosen.here)]
    page = sorting.keyset.page(found.select_related("integration").only(*IN_ROWS), request.GET, parts)
    menus = [*menus_of(chosen.form, request.GET, sorting.list_url), sorting.menu()]
    unknown = queries.count_unrecognized(chosen.here)
    context = {
        "filters": draw_menus(menus, list_url=sorting.list_url, is_search=bool(words)),
        "heads": sorting.heads(presentation.heads(), is_search=bool(words)),
        "words": words,
        "rows": delivery_rows(page.rows),
        "page": page,
        "unknown": unknown,
        "unknown_most": "+" if unknown == queries.COUNT_LIMIT else "",
        "flooded": refusals.flooded(now=timezone.now()),
        "flood": refusals.ALERT_ABOVE,
        "shown_environment": chosen.environment,
        "is_filtered": bool(words or any(chosen.form.cleaned_data.values())),
        "may_reprocess": may(request.user, Right.REFRESH),
        "may_view_integrations": may(request.user, Right.VIEW_INTEGRATIONS),
        "query": request.GET.urlencode(),
    }
    return draw(request, "webhooks/deliveries.html", "results", context)


@require_http_methods(["GET", "POST"])
def delivery_list_export(request: HttpRequest) -> HttpResponseBase:
    words = _search_words(request)
    (chosen, found), sorting = _narrowed(request, words), _sorting(request)
    parts = chosen.parts if not words else [Part(chosen.here)]
    lines = exports.of_list(Listing(found, sorting.keyset, parts), presentation.columns())
    filters = exports.filters_of(chosen.form) + sorting.fields()
    return exports.download(
        request, Export("webhooks", *lines, chosen.environment, filters=filters, is_search=bool(words))
    )


@require_safe
def delivery_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    visible = _visible_to(reader(request)).select_related("integration", "secret", "reprocessed_by")
    delivery = get_object_or_404(visible, pk=pk)
    all_links = Link.objects.filter(delivery_links__delivery=delivery)
    about = visible_to(reader(request), all_links).order_by("urgency", "pk")
    links = load(listed(about)[:PAGE_SIZE])
    see_names, sees_all = may(request.user, Right.SEE_NAMES), _sees_all(request, all_links)
    if links:
        _record_view(request, delivery)
    elif see_names and delivery.end_user_id:  # a customer without links here, whose name the payload may have
        shown.note([uuid5(delivery.integration_id, delivery.end_user_id)])
    context = {
        "delivery": delivery,
        "outcome": outcome_badge(delivery, with_meaning=True),
        "lines": payloads.lines(delivery.payload, see_names=see_names) if delivery.payload and sees_all else [],
        "rows": rows(links, rights=rights_of(request.user)),
        "heads": heads(),
        "may_reprocess": may(request.user, Right.REFRESH) and delivery.can_be_reprocessed,
        "may_view_links": may(request.user, Right.VIEW_LINKS),
        "may_view_integrations": may(request.user, Right.VIEW_INTEGRATIONS),
    }
    return render(request, "webhooks/delivery.html", context)


@require_POST
def delivery_reprocess(request: HttpRequest, pk: UUID) -> HttpResponse:
    delivery = get_object_or_404(_visible_to(reader(request)), pk=pk)
    if deliveries.reprocess(WebhookDelivery.objects.filter(pk=pk), by=reader(request), object_id=pk):
        wake_worker(acceptance.PROCESS_TASK)
        queued = _("Queued. We'll check the status of its links again.")
        messages.success(
            request, watch.ongoing(queued, _("Queued. We'll check its links once background processing starts."))
        )
    else:
        messages.warning(request, _("It's already being processed, or there's nothing in it to process."))
    return go(request, delivery.get_absolute_url())


@require_POST
def delivery_reprocess_all(request: HttpRequest) -> HttpResponse:
    chosen, found = _narrowed(request, _search_words(request))
    queued_count = deliveries.reprocess(found.filter(chosen.here), by=reader(request))
    if queued_count:
        wake_worker(acceptance.PROCESS_TASK)
        messages.success(
            request,
            ngettext("%(count)d delivery queued.", "%(count)d deliveries queued.", queued_count)
            % {"count": queued_count},
        )
    else:
        messages.warning(request, _("None of these can be reprocessed: they're in progress or unreadable."))
    if queued_count == deliveries.MAX_REPROCESSED:
        messages.info(request, _("Only the newest deliveries were queued. Reprocess again to queue more."))
    return go(request, f"{reverse('delivery-list')}?{request.GET.urlencode()}")


def _narrowed(request: HttpRequest, words: str) -> tuple[queries.DeliveryFilter, "QuerySet[WebhookDelivery]"]:
    if not may(request.user, Right.VIEW_ALL_DELIVERIES):
        raise PermissionDenied
    chosen = queries.DeliveryFilter(request.GET, WebhookDelivery.objects.all(), reader=reader(request))
    if not chosen.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    return chosen, queries.search(chosen.qs, words) if words else chosen.qs


def _visible_to(user: User) -> "QuerySet[WebhookDelivery]":
    """Account managers who see only their own customers see what is about a link of theirs."""
    every = WebhookDelivery.objects.all()
    if may(user, Right.VIEW_ALL_DELIVERIES):
        return every
    return every.filter(Exists(DeliveryLink.objects.filter(of_portfolio(user, "link__"), delivery=OuterRef("pk"))))


def _sorting(request: HttpRequest) -> Sorting:
    return Sorting.read(queries.ORDERS, request.GET, reverse("delivery-list"))


def _sees_all(request: HttpRequest, links: "QuerySet[Link]") -> bool:
    """Whether nothing in a payload can be about another account manager's customer."""
    manager = portfolio_of(reader(request))
    return manager is None or (links.exists() and not links.exclude(account_manager=manager).exists())


def _record_view(request: HttpRequest, delivery: WebhookDelivery) -> None:
    record(
        actor=reader(request),
        action=Action.DELIVERY_VIEWED,
        object_type=ObjectType.DELIVERY,
        object_id=delivery.pk,
        outcome=Outcome.DONE,
    )


def _search_words(request: HttpRequest) -> str:
    # PostgreSQL rejects NUL in a search. One in a URL is rejected before any view.
    return request.POST.get("q", "").replace("\0", "").strip()[:200] if request.method == "POST" else ""
