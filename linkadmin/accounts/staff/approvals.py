"""Access that a second person approves. Nobody who asks for it, or created the link to it, opens it alone.

Without another administrator, the second person is the one who runs `manage.py approve` on the host.
"""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from linkadmin.accounts.models import ApprovalKind, ApprovalRequest, ApprovalState, Identity, User
from linkadmin.accounts.roles import Right, with_right
from linkadmin.audit.log import Action, ObjectType, Outcome, record

VALID_FOR = timedelta(days=7)
DECISIONS = (ApprovalState.APPROVED, ApprovalState.REJECTED)


class NotPending(Exception):
    """The request was decided, canceled, or has expired."""


def pending() -> "QuerySet[ApprovalRequest]":
    requests = ApprovalRequest.objects.filter(state=ApprovalState.PENDING, expires_at__gt=timezone.now())
    return requests.select_related("person", "asked_by")


def is_waiting(person: User) -> bool:
    """Whether the password they chose is waiting."""
    return pending().filter(person=person, kind=ApprovalKind.PASSWORD).exists()


def approvers(request: ApprovalRequest) -> "QuerySet[User]":
    """Only who can sign in: the host decides when nobody else can.

    With single sign-on, only people who use it, and only about what one of them asked for: an identity is one person,
    who may have another account besides.
    """
    administrators = User.objects.filter(is_active=True, roles__in=with_right(Right.MANAGE_STAFF))
    others = administrators.exclude(pk__in=[request.asked_by_id, request.person_id])
    if settings.IDENTITY_PROVIDER is None:
        return others.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX, identity=None)
    known = Identity.objects.filter(issuer=settings.IDENTITY_PROVIDER.issuer)
    return others.filter(pk__in=known.values("user")) if known.filter(user=request.asked_by_id) else others.none()


def decisions_of(user: User, request: ApprovalRequest) -> tuple[ApprovalState, ...]:
    if user.pk == request.asked_by_id:
        return (ApprovalState.CANCELED,)
    return DECISIONS if approvers(request).filter(pk=user.pk).exists() else ()


@transaction.atomic
def ask(kind: ApprovalKind, person: User, *, by: User) -> None:
    """Ask for the person's access with the roles they have here. Replaces an earlier request.

    Like `cancel`, for callers that have locked the person.
    """
    cancel(person, by=by)
    request = ApprovalRequest.objects.create(
        kind=kind, person=person, roles=person.roles, asked_by=by, expires_at=timezone.now() + VALID_FOR
    )
    _record(request, Action.APPROVAL_REQUESTED, by=by)


def cancel(person: User, *, by: User | None) -> None:
    for request in ApprovalRequest.objects.filter(state=ApprovalState.PENDING, person=person):
        _close(request, ApprovalState.CANCELED, by=by)


@transaction.atomic
def decide(pk: UUID, decision: ApprovalState, *, by: User | None) -> None:
    """`by` is None for the host. Raises `NotPending`, or PermissionDenied for who may not decide."""
    request = _locked(pk)
    if request.expires_at <= timezone.now():
        raise NotPending
    if approvers(request).exists() if by is None else decision not in decisions_of(by, request):
        raise PermissionDenied
    _close(request, decision, by=by)


def expire() -> None:
    due = ApprovalRequest.objects.filter(state=ApprovalState.PENDING, expires_at__lte=timezone.now())
    for pk in due.values_list("pk", flat=True):
        with suppress(NotPending), transaction.atomic():
            _close(_locked(pk), ApprovalState.EXPIRED, by=None)


def _locked(pk: UUID) -> ApprovalRequest:
    """The lock is the person's, so that nobody changes their access meanwhile. Raises `NotPending`."""
    found = ApprovalRequest.objects.filter(pk=pk)
    for person in found.values_list("person", flat=True):
        User.objects.locked(person)
    request = found.filter(state=ApprovalState.PENDING).select_related("person").first()
    if request is None:
        raise NotPending
    return request


def _close(request: ApprovalRequest, state: ApprovalState, *, by: User | None) -> None:
    person = request.person
    if state is ApprovalState.APPROVED:
        person.roles, person.is_active = request.roles, True
        person.save(update_fields=["roles", "is_active"])
    elif request.kind == ApprovalKind.PASSWORD:
        person.set_unusable_password()  # a later approval must not open the account with it
        person.save(update_fields=["password"])
    elif request.kind == ApprovalKind.IDENTITY:
        Identity.objects.filter(user=person).delete()
    request.state, request.decided_by, request.decided_at = state, by, timezone.now()
    request.save(update_fields=["state", "decided_by", "decided_at"])
    _record(request, Action(f"approval.{state}"), by=by)


def _record(request: ApprovalRequest, action: Action, *, by: User | None) -> None:
    on_host = {"by": "host"} if by is None and request.state in DECISIONS else {}
    record(
        actor=by,
        action=action,
        object_type=ObjectType.STAFF,
        object_id=request.person_id,
        outcome=Outcome.DONE,
        details={"request": str(request.pk), "kind": request.kind, "roles": request.roles, **on_host},
    )
