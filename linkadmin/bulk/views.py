"""Pages of bulk jobs: review, progress and results."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from linkadmin import exports
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.actions import ObjectType
from linkadmin.compiled_query import CompiledQuery, time_of
from linkadmin.exports import Export
from linkadmin.links import queries, search
from linkadmin.links.forms import AssigneeField, NoteForm
from linkadmin.links.listing import filters
from linkadmin.links.listing.known import environment_of
from linkadmin.links.models import Link
from linkadmin.links.presentation import select_all
from linkadmin.links.staff_work import possible_assignees
from linkadmin.links.views.access import require_visible
from linkadmin.links.views.live import NOTHING_AWAITED, PageVersion, answer, seconds_between, version_of
from linkadmin.operations.refusals import Refusal
from linkadmin.paging import Keyset, Listing, Page, without_place
from linkadmin.web.filter_menus import draw_menus
from linkadmin.web.pages import draw, go, reader
from linkadmin.web.sorting import Order, Sorting

from . import services
from .models import BulkItem, BulkJob, BulkPart, ItemState, JobKind, JobState
from .presentation import (
    IN_ROWS,
    ITEM_LABELS,
    JOB_LABELS,
    draft_sentences,
    item_cells,
    item_rows,
    job_cells,
    job_heads,
    job_rows,
    progress,
    title,
)

SELECTED, ALL, WORDS = "link", "all", "q"
MOST_COUNTED = 1000  # results that no count has
WHOSE = ("", "mine", "others")
ORDERS = {
    "created": Order((gettext_lazy("newest first"), gettext_lazy("oldest first")), ("created_at", "id"), falls=True),
    "links": Order((gettext_lazy("most links first"), gettext_lazy("fewest links first")), ("total", "id"), falls=True),
}
AS_PLANNED = Keyset("id")
_DONE = BulkPart.objects.filter(job=OuterRef("pk"), done_at__isnull=False).order_by("-done_at").values("done_at")
_JOB = CompiledQuery(lambda pk: BulkJob.objects.filter(pk=pk).values_list("state", "started_at", Subquery(_DONE[:1])))


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected links that the reader may see, and the form values that select them again."""

    links: "QuerySet[Link]"
    fields: tuple[tuple[str, str], ...]


class NewAssigneeForm(forms.Form):
    assignee = AssigneeField(
        label=gettext_lazy("New assignee"),
        queryset=possible_assignees(),
        empty_label=gettext_lazy("Select an assignee"),
    )


FORMS: dict[JobKind, type[forms.Form]] = {JobKind.ASSIGN: NewAssigneeForm, JobKind.NOTE: NoteForm}
MOVES: dict[str, Callable[..., BulkJob]] = {
    "begin": services.start,
    "stop": services.pause,
    "resume": services.resume,
}


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    jobs, user, whose, sorting = _jobs(request), reader(request), request.GET.get("whose", ""), _sorting(request)
    lists = []
    for name in ("mine", "others"):
        if whose in ("", name):
            query = request.GET.copy() if whose else without_place(request.GET)
            query["whose"] = name
            page = sorting.keyset.page(_jobs_of(user, jobs, mine=name == "mine"), query)
            heads = sorting.heads(job_heads(), of=name)
            lists.append({"name": name, "heads": heads, "rows": job_rows(page.rows), "pager": page})
    filters = draw_menus([sorting.menu()], list_url=sorting.list_url)
    return draw(request, "bulk/list.html", "results", {"lists": lists, "filters": filters})


@require_GET
def job_list_export(request: HttpRequest) -> HttpResponseBase:
    user, whose = reader(request), request.GET.get("whose", "")
    if whose not in WHOSE:
        raise BadRequest("jobs are nobody else's")
    jobs = _jobs(request).filter(Q(actor=user) | ~Q(state=JobState.DRAFT))
    jobs = _jobs_of(user, jobs, mine=whose == "mine") if whose else jobs
    sorting = _sorting(request)
    lines = exports.of_few(Listing(jobs, sorting.keyset), JOB_LABELS, job_cells)
    filters = [*([("whose", whose)] if whose else []), *sorting.fields()]
    return exports.download(request, Export("bulk-actions", *lines, environment_of(user), filters=filters))


@require_POST
def job_plan(request: HttpRequest, kind: JobKind) -> HttpResponse:
    chosen = _selected(request)
    form = _form(request, kind)
    if form is not None and not form.is_valid():
        context = {"kind": kind, "form": form, "fields": chosen.fields, "back": _back(chosen)}
        return render(request, "bulk/ask.html", context, status=422 if form.is_bound else 200)
    values = form.cleaned_data if form is not None else {}
    try:
        job = services.create_draft(actor=reader(request), kind=kind, links=chosen.links, **values)
    except Refusal as refusal:
        messages.warning(request, str(refusal.words))
        return go(request, _back(chosen))
    return go(request, job.get_absolute_url())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def job_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = _job(request, pk)
    if request.method == "POST":
        return _move(request, job)
    return render(request, "bulk/job.html", _page(request, job))


@require_GET
def job_export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    job, state = _job(request, pk), request.GET.get("state", "")
    see_names = may(request.user, Right.SEE_NAMES)
    items = Listing(_items(job, state, reader(request)), AS_PLANNED)
    lines = exports.of_few(items, ITEM_LABELS, lambda some: item_cells(job, some, see_names=see_names))
    filters = [("state", state)] if state else []
    about = ObjectType.BULK_JOB, job.pk
    return exports.download(request, Export("bulk-action", *lines, job.environment, filters, about=about))


@require_safe
def job_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    require_visible(reader(request), _visible_to(reader(request)), pk)
    look = _version_of(pk)
    if look is None:
        raise Http404
    return answer(request, *look)


def _sorting(request: HttpRequest) -> Sorting:
    return Sorting.read(ORDERS, request.GET, reverse("bulk-list"))


def _visible_to(user: User) -> "QuerySet[BulkJob]":
    """Those who see only their own customers see only their own jobs."""
    return BulkJob.objects.filter(actor=user) if queries.portfolio_of(user) else BulkJob.objects.all()


def _jobs(request: HttpRequest) -> "QuerySet[BulkJob]":
    """Of the reader's environment."""
    user = reader(request)
    return _visible_to(user).select_related("actor").filter(environment=environment_of(user))


def _jobs_of(user: User, jobs: "QuerySet[BulkJob]", *, mine: bool) -> "QuerySet[BulkJob]":
    return jobs.filter(actor=user) if mine else jobs.exclude(actor=user).exclude(state=JobState.DRAFT)


def _job(request: HttpRequest, pk: UUID) -> BulkJob:
    user = reader(request)
    job = get_object_or_404(_visible_to(user).select_related("actor", "assignee", "paused_by"), pk=pk)
    if job.is_draft and job.actor_id != user.pk:
        raise Http404
    return job


def _form(request: HttpRequest, kind: JobKind) -> forms.Form | None:
    if kind not in FORMS:
        return None
    form = FORMS[kind]()
    return FORMS[kind](request.POST) if form.fields.keys() <= request.POST.keys() else form


def _back(chosen: Selection) -> str:
    # Search terms are never part of a URL.
    in_url = [(name, value) for name, value in chosen.fields if name not in (ALL, SELECTED, WORDS)]
    return f"{reverse('link-list')}?{urlencode(in_url)}" if in_url else reverse("link-list")


def _move(request: HttpRequest, job: BulkJob) -> HttpResponse:
    move = MOVES.get(request.POST.get("move", ""))
    if move is None:
        raise BadRequest("a job has no such move")
    if not may(request.user, job.right):
        raise PermissionDenied
    try:
        move(job, by=reader(request))
    except Refusal as refusal:
        messages.warning(request, str(refusal.words))
        return go(request, reverse("link-list"))
    return go(request, job.get_absolute_url())


def _version_of(pk: UUID) -> tuple[str, int] | None:
    """The version of a job's page, and its polling interval in seconds."""
    row = _JOB.row(pk)
    if row is None:
        return None
    state, started_at, last = row
    seconds = seconds_between(time_of(started_at)) if state == JobState.RUNNING else NOTHING_AWAITED
    return version_of(state, last), seconds


def _page(request: HttpRequest, job: BulkJob) -> dict[str, Any]:
    rows, pager = _rows(request, job)
    tally = job.counts()
    state = request.GET.get("state", "")
    return {
        "job": job,
        "shown_environment": job.environment,
        "page_version": PageVersion(reverse("bulk-live", args=[job.pk]), *(_version_of(job.pk) or ("",))),
        "title": title(job),
        "note": job.text if may(request.user, Right.SEE_NAMES) else "",  # may contain the name of a customer
        "plan": draft_sentences(job) if job.is_draft else [],
        "progress": None if job.is_draft else progress(job),
        "may_act": may(request.user, job.right),
        "may_begin": bool(tally["waiting"]),
        "filters": [(each, each.label, tally[each], each == state) for each in ItemState if tally[each]],
        "state": state,
        "rows": rows,
        "pager": pager,
    }


def _rows(request: HttpRequest, job: BulkJob) -> tuple[str, Page[BulkItem]]:
    page = AS_PLANNED.page(_items(job, request.GET.get("state", ""), reader(request)), request.GET)
    return item_rows(job, page.rows, see_names=may(request.user, Right.SEE_NAMES)), page


def _items(job: BulkJob, state: str, user: User) -> "QuerySet[BulkItem]":
    if state and state not in ItemState.values:
        raise BadRequest("a link in a job has no such state")
    items = job.items.filter(queries.of_portfolio(user, "link__"))
    items = items.select_related("link__end_user", "link__institution", "link__integration").only(*IN_ROWS)
    return items.filter(state=state) if state else items


@require_POST
def result_count(request: HttpRequest) -> HttpResponse:
    """Label of the "Select all results" checkbox. Counting can be slow, so it happens on request."""
    found = _all_matching(request, queries.visible_to(reader(request))).links
    count = found.order_by()[: MOST_COUNTED + 1].count()
    label = _("Select all 1,000+ results") if count > MOST_COUNTED else select_all(count)
    return HttpResponse(escape(label))


def _selected(request: HttpRequest) -> Selection:
    links = queries.visible_to(reader(request))
    return _all_matching(request, links) if request.POST.get(ALL) else _selected_rows(request.POST, links)


def _all_matching(request: HttpRequest, links: "QuerySet[Link]") -> Selection:
    try:
        chosen = filters.read(request.POST, environment_of(reader(request)))
    except filters.NotOffered:
        raise BadRequest("a filter has a value it does not offer") from None
    words = search.clean_words(request.POST.get(WORDS, ""))
    found = chosen.links(links, reader(request), is_search=bool(words))
    if words:
        found = search.search(found, words, see_names=may(request.user, Right.SEE_NAMES))
    return Selection(found, ((ALL, "1"), *chosen.fields, *([(WORDS, words)] if words else [])))


def _selected_rows(posted: QueryDict, links: "QuerySet[Link]") -> Selection:
    try:
        ids = [UUID(text) for text in posted.getlist(SELECTED)]
    except ValueError:
        raise BadRequest("a selected row has no link") from None
    return Selection(links.filter(pk__in=ids), tuple((SELECTED, str(pk)) for pk in ids))
