"""The palette's results. The text comes in a POST: it may be a name, and no name may get into a URL."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from linkadmin.accounts.roles import Right, may
from linkadmin.search import pasted
from linkadmin.search.pasted import Pasted

from .pages import reader
from .palette import find


@require_POST
@sensitive_post_parameters("anything")
def find_anything(request: HttpRequest) -> HttpResponse:
    text = pasted.read(request.POST.get("anything", ""), host=request.get_host())
    groups = find(reader(request), text)
    count = sum(len(results) for _group, results in groups)
    context = {"groups": groups, "count": count, "nothing": "" if groups else _why_nothing(request, text)}
    return render(request, "partials/_found.html", context)


def _why_nothing(request: HttpRequest, text: Pasted) -> str:
    if text.path:
        return _("This URL doesn't lead to anything you can open.")
    if not text.words:
        return _("We don't know any of the IDs in this text.")
    if text.is_too_short:
        return _("Type at least three letters or digits in a row.")
    if not may(request.user, Right.SEE_NAMES):
        return _("Nothing found. You can search by ID, but not by a customer's name.")
    return _("Nothing found. Try part of a name or e-mail, or paste an ID, a URL, an error, or a log line.")
