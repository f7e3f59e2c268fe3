"""Notes and assignees of links. Providers never learn of them."""

from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from linkadmin.links.forms import AssigneeForm, NoteForm
from linkadmin.links.models import Link
from linkadmin.links.staff_work import Overtaken, add_note, assign_if_unchanged
from linkadmin.providers.names import isolated
from linkadmin.web.pages import draw, go, reader

from .access import link_for, seen


@require_http_methods(["GET", "HEAD", "POST"])
def link_notes(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        add_note(link, by=reader(request), text=form.cleaned_data["text"])
        return _saved(request, link, _("Note added."))
    if not form.is_bound:
        seen(request, link, link.end_user, page="notes")
    return draw(request, "links/note.html", "form", {"link": link, "form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def link_assignee(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    if request.method != "POST":
        seen(request, link, link.end_user, page="assignee")
        form = AssigneeForm(link=link, reader=reader(request))
        return draw(request, "links/assignee.html", "form", {"link": link, "form": form})
    form = AssigneeForm(request.POST, link=link, reader=reader(request))
    if not form.is_valid():
        return draw(request, "links/assignee.html", "form", {"link": link, "form": form}, status=422)
    wanted = form.cleaned_data["assignee"]
    try:
        changed = assign_if_unchanged(link, by=reader(request), assignee=wanted, was=form.cleaned_data["was"])
    except Overtaken:
        link.refresh_from_db(fields=["assignee"])
        fresh = AssigneeForm(link=link, reader=reader(request))
        fresh.initial["assignee"] = wanted
        context = {"link": link, "form": fresh, "overtaken": True}
        return draw(request, "links/assignee.html", "form", context, status=409)
    done = _("Assigned to %(name)s.") % {"name": isolated(wanted.display_name)} if wanted else _("Unassigned.")
    return _saved(request, link, done if changed else "")


def _saved(request: HttpRequest, link: Link, words: str) -> HttpResponse:
    """The link's own page shows it without being loaded again."""
    url = link.get_absolute_url()
    if request.htmx and urlsplit(request.htmx.current_url or "").path == url:  # type: ignore[attr-defined]
        return trigger_client_event(HttpResponse(status=204), "saved", {"words": words})
    if words:
        messages.success(request, words)
    return go(request, url)
