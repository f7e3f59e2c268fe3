"""Visits to the page of an integration's companion: created, opened, and read until their end is known.

How a visit ended says nothing about the link: after it, the link's own provider fetches data, and a check decides.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.accounts.models import User
from linkadmin.encryption.box import DecryptionError, decrypt, encrypt
from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.links import due_reads, health
from linkadmin.links.models import SESSIONS_TASK, HostedSession, Link, Reason, RepairRequest
from linkadmin.operations import refusals, services
from linkadmin.operations.models import OperationKind
from linkadmin.providers.errors import NotFound, ProviderError
from linkadmin.providers.records import RemoteSession, SessionEnd, SessionResult
from linkadmin.providers.types import Cause, NewSession, Secret
from linkadmin.wake_worker import wake_worker
from linkadmin.webhooks.hosted_sessions import digest_of

from . import requests
from .requests import NewRequest, Step, add_step

TABLE = "links_hostedsession"  # part of the associated data, even if the table is renamed
VISIT = timedelta(minutes=30)
READ_EVERY = timedelta(minutes=1)  # while the customer is there: not every provider says when they are done
READABLE = timedelta(hours=6)  # after a visit, its result is gone
READ_AT_ONCE = 20
_LANGUAGES = {"en": "en", "es": "es", "pt-br": "pt"}
# The customer has to share other accounts.
_CHOOSE_ACCOUNTS = {Cause.NO_ACCOUNTS, Cause.NO_PAYMENT_ACCOUNTS, Cause.ACCESS_PARTIAL}


@dataclass(frozen=True, slots=True)
class NewVisit:
    """What a visit is created with."""

    language: str
    life: timedelta
    return_url: str
    access_token: Secret | None = None  # dropped after the call


class WrongToken(Exception):
    """The customer would repair another link, maybe somebody else's."""


def create(link: Link, companion: Integration, visit: NewVisit) -> RemoteSession:
    """Raises ProviderError, and WrongToken if the access token is for another link."""
    provider, token = client_for(companion), visit.access_token
    if token is not None and provider.read_item_id(token) != link.remote_id:
        raise WrongToken
    new_session = NewSession(
        access_token=token,
        item_id=link.remote_id,
        reference=str(link.pk),
        company=settings.COMPANY_NAME,
        language=_LANGUAGES[visit.language],
        seconds=int(visit.life.total_seconds()),
        return_url=visit.return_url,
        choose_accounts=link.cause in _CHOOSE_ACCOUNTS,
    )
    return provider.create_session(new_session)


@transaction.atomic
def send(
    link: Link, message: NewRequest, *, by: User, companion: Integration | None, made: RemoteSession | None
) -> tuple[RepairRequest, str]:
    """Send a request together with the visit that was created for it, if any."""
    request, token = requests.send(link, message, by=by)
    if companion and made:
        store(request, companion, made)
    return request, token


def store(request: RepairRequest, companion: Integration, made: RemoteSession) -> HostedSession:
    """Replaces the visits before."""
    session = HostedSession(
        request=request,
        integration=companion,
        digest=digest_of(made.token) if made.token else "",
        expires_at=made.expires_at,
        due_at=None,
    )
    secrets = json.dumps({"url": made.url.reveal(), "token": made.token.reveal()})
    session.encrypted = encrypt(Secret(secrets), table=TABLE, row=session.pk, field="session", version=1)
    with transaction.atomic():
        request.sessions.all().delete()
        session.save(force_insert=True)
    return session


def stored_url(request: RepairRequest) -> Secret | None:
    session = request.sessions.filter(expires_at__gt=timezone.now()).first()
    return _secrets_of(session)[0] if session else None


def note_opened(request: RepairRequest) -> None:
    request.sessions.update(due_at=timezone.now() + READ_EVERY, attempts=0)


def note_returned(request: RepairRequest) -> None:
    """The customer is back: read the visit's result now."""
    if request.sessions.update(due_at=timezone.now()):
        transaction.on_commit(lambda: wake_worker(SESSIONS_TASK))


def read_due() -> None:
    rows = HostedSession.objects.exclude(due_at=None).select_related("integration", "request__link__integration")
    lease = work_queue.call_lease()
    for session in work_queue.claim(rows.order_by("due_at"), now=timezone.now(), limit=READ_AT_ONCE, lease=lease):
        _read(session)


def delete_over(*, now: datetime) -> None:
    HostedSession.objects.filter(expires_at__lte=now - READABLE).delete()


def _read(session: HostedSession) -> None:
    try:
        result = _result_of(session)
    except NotFound:
        session.delete()
    except ProviderError as error:
        work_queue.retry_later([session], error, at_least=READ_EVERY)
    else:
        _note(session, result)


def _result_of(session: HostedSession) -> SessionResult:
    _url, token = _secrets_of(session)
    if not token:  # nobody can say: a fetch of new data will show it
        return SessionResult(is_started=True, end=SessionEnd.FINISHED)
    return client_for(session.integration, in_background=True).read_session(token)


def _note(session: HostedSession, result: SessionResult) -> None:
    request, now = session.request, timezone.now()
    is_over = result.end is not None or session.expires_at <= now
    with transaction.atomic():
        is_ours = work_queue.held(session).update(
            **work_queue.RELEASED, due_at=None if is_over else now + READ_EVERY, attempts=0
        )
        if not is_ours:
            return
        if result.end is not None and request.ended_at is None:
            add_step(request, Step.FINISHED if result.end is SessionEnd.FINISHED else Step.LEFT)
    if result.end is SessionEnd.FINISHED and request.ended_at is None:
        _fetch_data(session, result, at=now)


def _fetch_data(session: HostedSession, result: SessionResult, *, at: datetime) -> None:
    """Have the link's provider fetch data, which shows whether the repair worked. Once for each visit."""
    request = session.request
    with transaction.atomic():
        health.start_verifying(request.link, at=at, request_id=result.request_id)
    with suppress(refusals.Refusal):  # recorded; the provider also fetches on its own
        services.change_link(
            actor=request.sent_by,
            link=request.link,
            kind=OperationKind.REFRESH_DATA,
            values={},
            operation_key=session.pk,
        )
    due_reads.want([request.link_id], reason=Reason.REPAIR, at=at)


def _secrets_of(session: HostedSession) -> tuple[Secret, Secret]:
    """URL and token; empty if our keys can't decrypt them."""
    try:
        opened = decrypt(session.encrypted, table=TABLE, row=session.pk, field="session", version=1)
    except DecryptionError:
        return Secret(""), Secret("")
    said = json.loads(opened.reveal())
    return Secret(said["url"]), Secret(said["token"])
