"""The customer's pages: no account, no session, no script. A GET writes nothing but the count of fetches."""

from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from linkadmin.accounts import limits
from linkadmin.links.models import Language, RepairRequest
from linkadmin.operations.presentation.repair_requests import is_checked, way_of
from linkadmin.providers.types import ReturnUrls
from linkadmin.repair import requests, sessions
from linkadmin.repair.provider_pages import ORIGINS, NoPage, consent_portal, open_page
from linkadmin.repair.requests import VISIT, RequestOver, Step
from linkadmin.repair.tokens import digest_of
from linkadmin.web.pages import no_compression

SIMULATORS = ("http://127.0.0.1:*", "http://localhost:*")
COOKIE = "__Host-repair" if settings.SECURE_COOKIES else "repair"
SEE_OTHER = 303
# Where this page's forms may lead besides itself.
PROVIDER_PAGES = [
    *ORIGINS,
    *(SIMULATORS if settings.ALLOW_LOOPBACK_PROVIDERS else ()),
]
REFRESH_SECONDS = 3
LOGO_SECONDS = 60 * 60


@csrf_exempt  # the URL's token is the proof, and only our own page may send the form
@never_cache
@no_compression
@require_http_methods(["GET", "HEAD", "POST"])
def repair_request(request: HttpRequest, token: str) -> HttpResponse:
    if request.method == "POST":
        return _enter(request, token)
    try:
        found = requests.fetch(token)
    except RequestOver as closed:
        return _closed(request, closed)
    return _page("repair/customer/request.html", found)


@csrf_exempt  # as above; the cookie isn't sent with other sites' forms
@never_cache
@csp_update({"form-action": PROVIDER_PAGES})
@require_http_methods(["GET", "HEAD", "POST"])
def visit(request: HttpRequest) -> HttpResponse:
    try:
        found = requests.visited(request.COOKIES.get(COOKIE, ""))
    except RequestOver as closed:
        return _closed(request, closed)
    if is_checked(found) or found.link.is_verifying:
        return _checking(found)
    if request.method != "POST" or way_of(found.link).why_not:
        return _page("repair/customer/visit.html", found)
    _require_own_form(request)
    try:
        limits.count_repair(request, str(found.pk))
        names = ("repair-done", "repair-left", "repair-back")
        url = open_page(found, ReturnUrls(*(request.build_absolute_uri(reverse(name)) for name in names)))
    except limits.TooManyAttempts:
        return _page("repair/customer/too_many.html", None, status=429, language=_language_of(request))
    except NoPage:
        return _page("repair/customer/visit.html", found, status=503, has_failed=True)
    return _to(url.reveal())


@cache_control(public=True, max_age=LOGO_SECONDS)
@require_safe
def repair_logo(request: HttpRequest) -> HttpResponse:
    if not settings.COMPANY_LOGO:
        raise Http404
    return HttpResponse(settings.COMPANY_LOGO.content, content_type=f"image/{settings.COMPANY_LOGO.kind}")


@never_cache
@require_safe
def repair_done(request: HttpRequest) -> HttpResponse:
    return _came_back(request, Step.FINISHED)


@never_cache
@require_safe
def repair_back(request: HttpRequest) -> HttpResponse:
    """From a page that leads back whatever happened there."""
    return _came_back(request, Step.RETURNED)


@never_cache
@require_safe
def repair_left(request: HttpRequest) -> HttpResponse:
    return _came_back(request, Step.LEFT)


def _came_back(request: HttpRequest, step: RepairRequest.Step) -> HttpResponse:
    try:
        found = requests.visited(request.COOKIES.get(COOKIE, ""))
        requests.came_back(found, step)
        sessions.note_returned(found)
    except RequestOver as closed:
        return _closed(request, closed)
    return _to(reverse("repair-visit"))


def _enter(request: HttpRequest, token: str) -> HttpResponse:
    _require_own_form(request)
    try:
        limits.count_repair(request, digest_of(token))
        cookie = requests.enter(token)
    except RequestOver as closed:
        return _closed(request, closed)
    except limits.TooManyAttempts:
        return _page("repair/customer/too_many.html", None, status=429, language=_language_of(request))
    entered = _to(reverse("repair-visit"))
    seconds = int(VISIT.total_seconds())
    entered.set_cookie(COOKIE, cookie, seconds, secure=settings.SECURE_COOKIES, httponly=True, samesite="Lax")
    return entered


def _require_own_form(request: HttpRequest) -> None:
    """Browsers say where a form is from. One that doesn't is too old for our pages."""
    origin = urlsplit(request.headers.get("Origin", ""))
    if origin.netloc != request.get_host() or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise PermissionDenied


def _checking(found: RepairRequest) -> HttpResponse:
    page = _page("repair/customer/checking.html", found)
    page.headers["Refresh"] = str(REFRESH_SECONDS)
    return page


def _closed(request: HttpRequest, closed: RequestOver) -> HttpResponse:
    if closed.completed:
        return _page("repair/customer/works.html", closed.completed)
    return _page("repair/customer/over.html", None, status=410, language=_language_of(request))


def _language_of(request: HttpRequest) -> str:
    """Of the browser, where no request says it."""
    asked = [code for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:200])]
    known = (language for code in asked for language in Language.values if language[:2] == code[:2])
    return next(known, settings.CUSTOMER_LANGUAGE)


def _page(
    template: str, found: RepairRequest | None, *, status: int = 200, language: str = "", has_failed: bool = False
) -> HttpResponse:
    context = {
        "company": settings.COMPANY_NAME,
        "has_logo": settings.COMPANY_LOGO is not None,
        "repair": found,
        "link": found.link if found else None,
        "way": way_of(found.link) if found else None,
        "portal": consent_portal(found.link) if found else "",
        "has_failed": has_failed,
    }
    with translation.override(found.language if found else language):
        return HttpResponse(render_to_string(template, context), status=status)


def _to(url: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(url, status=SEE_OTHER)
