"""Changes to a person's access are saved together with their sessions and audit event, or not at all."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from linkadmin.accounts.models import ApprovalKind, ApprovalRequest, Invitation, RecoveryCode, StaffSession, User
from linkadmin.accounts.staff import approvals, invitations
from linkadmin.audit.models import AuditEvent
from linkadmin.operations.models import Operation, PendingChallenge, State
from linkadmin.staff_limits.kinds import LimitKind
from linkadmin.staff_limits.models import LimitLift, LimitUse
from tests.environment import PASSWORD, Environment
from tests.markup import Page, read
from tests.second_factors import ADD_APP, add_app, offered
from tests.troubles import refused

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

NEW = "another password for tests"
CODE = "the code of an invitation"
Act = Callable[[Environment], Page]


def posted(client: Client, url: str, values: dict[str, str]) -> Page:
    client.raise_request_exception = False
    return read(client.post(url, values))


def change_own_password(env: Environment) -> Page:
    values = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    return posted(env.client("ana"), "/accounts/password/", values)


def accept_an_invitation(env: Environment) -> Page:
    return posted(Client(), "/accounts/join/", {"code": CODE, "password": NEW})


def sign_in(env: Environment) -> Page:
    return posted(Client(), "/accounts/login/", {"login": "ana", "password": PASSWORD})


def sign_out(env: Environment) -> Page:
    return posted(env.client("ana"), "/accounts/logout/", {})


def sign_out_elsewhere(env: Environment) -> Page:
    return posted(env.client("ana"), "/accounts/sessions/end/", {})


def end_all_sessions(env: Environment) -> Page:
    return posted(env.client("adm"), f"/staff/{env.people['ana'].pk}/sessions/end/", {})


def come_back_too_late(env: Environment) -> Page:
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.SESSION_IDLE_SECONDS + 60)):
        return posted(env.client("ana"), "/links/", {})


def deactivate(env: Environment) -> Page:
    return _change_staff(env, roles="support")


def change_role(env: Environment) -> Page:
    return _change_staff(env, roles="manager", is_active="on")


def approve_a_role(env: Environment) -> Page:
    request = ApprovalRequest.objects.get(person=env.people["ben"])
    return posted(env.client("adm"), f"/staff/approvals/{request.pk}/", {"decision": "approved"})


def _change_staff(env: Environment, **values: str) -> Page:
    url = f"/staff/{env.people['ana'].pk}/"
    return posted(env.client("adm"), url, {"username": "ana", "name": "Ana"} | values)


def invite(env: Environment) -> Page:
    return posted(env.client("adm"), f"/staff/{env.people['ben'].pk}/invitation/", {})


def add_a_second_factor(env: Environment) -> Page:
    page, app = offered(env.client("ben"))
    return posted(env.client("ben"), ADD_APP, page.form_with("key", "code").values | {"code": app.code()})


def remove_a_second_factor(env: Environment) -> Page:
    pk = Authenticator.objects.get(user=env.people["mia"]).pk
    return posted(env.client("mia"), f"/accounts/factors/{pk}/remove/", {})


def renew_recovery_codes(env: Environment) -> Page:
    return posted(env.client("mia"), "/accounts/recovery-codes/", {})


def reset_second_factors(env: Environment) -> Page:
    return posted(env.client("adm"), f"/staff/{env.people['mia'].pk}/factors/reset/", {})


def lift_a_limit(env: Environment) -> Page:
    return posted(env.client("mia"), f"/staff/{env.people['ben'].pk}/limits/credentials/", {"reason": "Month-end"})


def cancel_a_challenge(env: Environment) -> Page:
    url = f"/links/{Operation.objects.get().link_id}/code/cancel/"
    return posted(env.client("mia"), url, {"reason": "She is on leave"})


RESET: list[tuple[str, type[Model]]] = [
    ("DELETE", Authenticator),
    ("DELETE", RecoveryCode),
    ("UPDATE", User),
    ("DELETE", StaffSession),
    ("INSERT", AuditEvent),
]
ACTS: dict[Act, list[tuple[str, type[Model]]]] = {
    change_own_password: [
        ("INSERT", StaffSession),
        ("UPDATE", StaffSession),
        ("DELETE", StaffSession),
        ("UPDATE", User),
        ("INSERT", AuditEvent),
    ],
    accept_an_invitation: [
        ("INSERT", ApprovalRequest),
        ("UPDATE", User),
        ("DELETE", StaffSession),
        ("DELETE", Invitation),
        ("INSERT", AuditEvent),
    ],
    sign_in: [("INSERT", StaffSession), ("UPDATE", StaffSession), ("UPDATE", User), ("INSERT", AuditEvent)],
    sign_out: [("DELETE", StaffSession)],
    sign_out_elsewhere: [("DELETE", StaffSession), ("INSERT", AuditEvent)],
    end_all_sessions: [("UPDATE", User), ("DELETE", StaffSession), ("INSERT", AuditEvent)],
    come_back_too_late: [("DELETE", StaffSession), ("INSERT", AuditEvent)],
    deactivate: [("UPDATE", User), ("DELETE", StaffSession), ("INSERT", AuditEvent)],
    change_role: [("INSERT", ApprovalRequest), ("INSERT", AuditEvent)],
    approve_a_role: [
        ("UPDATE", User),
        ("DELETE", StaffSession),
        ("UPDATE", ApprovalRequest),
        ("INSERT", AuditEvent),
    ],
    invite: [("INSERT", Invitation), ("INSERT", AuditEvent)],
    add_a_second_factor: [
        ("INSERT", Authenticator),
        ("INSERT", RecoveryCode),
        ("INSERT", StaffSession),
        ("INSERT", AuditEvent),
    ],
    remove_a_second_factor: [("DELETE", Authenticator), ("DELETE", RecoveryCode), ("INSERT", AuditEvent)],
    renew_recovery_codes: [("DELETE", RecoveryCode), ("INSERT", RecoveryCode), ("INSERT", AuditEvent)],
    reset_second_factors: [*RESET, ("INSERT", Invitation)],
    lift_a_limit: [("UPDATE", LimitUse), ("INSERT", LimitLift), ("INSERT", AuditEvent)],
    cancel_a_challenge: [("UPDATE", Operation), ("DELETE", PendingChallenge), ("INSERT", AuditEvent)],
}
CASES = [(act, *what) for act, all_of_it in ACTS.items() for what in all_of_it]
NAMED = [f"{act.__name__}-{statement} {model.__name__}" for act, statement, model in CASES]


def state_of(env: Environment) -> dict[str, object]:
    """Everything that these actions may change."""
    return {
        "people": set(User.objects.values_list("password", "roles", "is_active", "session_stamp", "last_login")),
        "sessions": set(StaffSession.objects.values_list("session_key", flat=True)),
        "requests": set(ApprovalRequest.objects.values_list("pk", "state")),
        "invitations": Invitation.objects.count(),
        "factors": set(Authenticator.objects.values_list("pk", "data__key")),
        "recovery codes": set(RecoveryCode.objects.values_list("digest", flat=True)),
        "limits": set(LimitUse.objects.filter(lifted_until__isnull=False).values_list("user", "lifted_until")),
        "lifts": LimitLift.objects.count(),
        "challenges": PendingChallenge.objects.count(),
        "operation": Operation.objects.get().state,
        "events": AuditEvent.objects.exclude(action__startswith="link.").count(),
    }


@pytest.fixture
def asked(env: Environment) -> Environment:
    """Somebody signed in with two browsers, and a bank waiting for a code."""
    Client().force_login(env.people["ana"])
    for name in env.people:
        env.client(name)
    env.send(f"/links/{env.belvo_link().pk}/credentials/", password="pass_mfa")
    env.settled()
    assert Operation.objects.get().state == State.NEEDS_CODE
    add_app(env.client("mia"))
    LimitUse.objects.create(user=env.people["ben"], kind=LimitKind.CREDENTIALS, reached_at=timezone.now())
    approvals.ask(ApprovalKind.ROLES, User(pk=env.people["ben"].pk, roles="manager"), by=env.people["mia"])
    invitations.invite(env.people["ana"], by=env.people["adm"])
    Invitation.objects.update(digest=hashlib.sha256(CODE.encode()).hexdigest())
    return env


@pytest.mark.parametrize(("act", "statement", "model"), CASES, ids=NAMED)
def test_action_that_fails_midway_changes_nothing(
    asked: Environment, act: Act, statement: str, model: type[Model]
) -> None:
    before = state_of(asked)

    with refused(statement, model):
        page = act(asked)
    after = state_of(asked)

    if act is sign_out:
        assert "signed out in this browser" in page.words
    else:
        assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert after == before


@pytest.mark.parametrize(("statement", "model"), RESET)
def test_recovery_on_the_host_that_fails_midway_changes_nothing(
    asked: Environment, statement: str, model: type[Model]
) -> None:
    before = state_of(asked)

    with refused(statement, model), pytest.raises(DatabaseError):
        call_command("recover_access", "mia")

    assert state_of(asked) == before


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_same_action_succeeds_otherwise(asked: Environment, act: Act) -> None:
    before = state_of(asked)

    page = act(asked)
    after = state_of(asked)

    assert page.status < HTTPStatus.INTERNAL_SERVER_ERROR
    assert after["events"] != before["events"]
    assert after != before | {"events": after["events"]}


def test_person_who_changed_their_password_stays_signed_in(env: Environment) -> None:
    page = change_own_password(env)

    assert page.status == HTTPStatus.FOUND
    assert env.client().get("/accounts/security/").status_code == HTTPStatus.OK
