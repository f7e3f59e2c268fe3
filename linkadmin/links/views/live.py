"""How open pages learn of changes: a small poll that compares two versions.

A poll changes nothing and is no sign of a person: it writes neither the session nor the audit log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from linkadmin.accounts.middleware import FOLLOWS_HEADER
from linkadmin.compiled_query import CompiledQuery, time_of
from linkadmin.heartbeats import watch
from linkadmin.ids import as_uuid
from linkadmin.integrations.alerts import troubled
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser

# How long something has been awaited, in seconds, and how often its page then polls.
EAGER = ((20 * 60, 2), (60 * 60, 5), (6 * 60 * 60, 15))
NOTHING_AWAITED = 0
SOMETHING_AWAITED = 2
SECONDS_HEADER = "Live-Seconds"
TROUBLE = ("key_state", "keys_retry_at", "circuit_breaker__open_until", "circuit_breaker__probe_until")
_signer = signing.TimestampSigner(salt="linkadmin.links.live")
MOST_SCOPES = 50  # integrations named in one poll


_TROUBLED = CompiledQuery(lambda: troubled().order_by("pk").values_list("pk", *TROUBLE), types=())


@dataclass(frozen=True, slots=True)
class PageVersion:
    """What a page polls: the URL, the version it shows, and how often. 0 seconds if nothing is awaited."""

    url: str
    version: str
    seconds: int = NOTHING_AWAITED


def version_of(*facts: object) -> str:
    """The same for instances as for values as a database has them."""
    texts = [fact if isinstance(fact, str) else repr(fact) for fact in map(_plain, facts)]  # a list's is long
    return blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()


def _plain(fact: object) -> object:
    # As SQLite stores it.
    if isinstance(fact, tuple):
        return tuple(map(_plain, fact))
    if isinstance(fact, datetime):
        return str(fact.astimezone(UTC).replace(tzinfo=None))
    if isinstance(fact, UUID):
        return fact.hex
    return str(fact) if isinstance(fact, date) else int(fact) if isinstance(fact, bool) else fact


def as_shown(version: str) -> str:
    return version_of(version, watch.words())


def seconds_between(since: datetime | None) -> int:
    if since is None:
        return NOTHING_AWAITED
    waited = (timezone.now() - since).total_seconds()
    return next((seconds for most, seconds in EAGER if waited < most), NOTHING_AWAITED)


def answer(request: HttpRequest, version: str, seconds: int) -> HttpResponse:
    version = as_shown(version)
    if request.GET.get("v") == version:
        response = HttpResponse(status=204)
        del response["Content-Type"]
    else:
        response = HttpResponse(version, content_type="text/plain")
    response[SECONDS_HEADER] = str(seconds)
    return response


def follow_mark(request: HttpRequest) -> str:
    """Proof that this page was drawn for this person."""
    return _signer.sign(_page_of(request))


def follows(request: HttpRequest) -> bool:
    """Whether an open page asks to be redrawn: its mark is for this page and person, and not expired."""
    mark = request.headers.get(FOLLOWS_HEADER, "")
    try:
        return _signer.unsign(mark, max_age=settings.SESSION_IDLE_SECONDS) == _page_of(request)
    except signing.BadSignature:
        return False


def _page_of(request: HttpRequest) -> str:
    return f"{request.user.pk} {request.get_full_path()}"


def alerts_version(of: list[UUID] | None) -> PageVersion:
    """`of` is None for all integrations."""
    named = [] if of is None else [("of", str(pk)) for pk in of] or [("of", "")]
    return PageVersion(f"{reverse('live')}?{urlencode(named)}", version_of(*_troubles(of)))


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    named = request.GET.getlist("of")[:MOST_SCOPES]
    of = [pk for text in named if (pk := as_uuid(text))] if named else None
    return answer(request, version_of(*_troubles(of)), NOTHING_AWAITED)


def integration_of(page: Mapping[str, Any]) -> UUID | None:
    """The integration a page is about, itself or with what it has."""
    for name in ("link", "operation", "integration", "institution", "original", "delivery"):
        thing = page.get(name)
        pk: UUID | None = thing.pk if isinstance(thing, Integration) else getattr(thing, "integration_id", None)
        if pk is not None:
            return pk
    return None


def concerned(page: Mapping[str, Any]) -> list[UUID] | None:
    """None means all integrations."""
    if pk := integration_of(page):
        return [pk]
    customer = page.get("customer")
    if isinstance(customer, EndUser):
        return list(customer.links.order_by("integration").values_list("integration", flat=True).distinct())
    return None


def trouble_of(key_state: str, *until: datetime | str | None) -> tuple[object, ...]:
    now = timezone.now()
    return key_state == Integration.KeyState.REJECTED, *((at, now < at) for each in until if (at := time_of(each)))


def _troubles(of: list[UUID] | None) -> list[tuple[object, ...]]:
    found = [(UUID(str(pk)), trouble_of(*rest)) for pk, *rest in _TROUBLED.rows()]
    return sorted(each for each in found if of is None or each[0] in of)
