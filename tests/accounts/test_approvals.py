"""Access that waits for a second person: more roles, inactive staff, and every password chosen with a link."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from linkadmin.accounts import tasks
from linkadmin.accounts.models import ApprovalRequest, User
from linkadmin.audit.models import AuditEvent
from tests.environment import PASSWORD, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NEW = "another horse, another battery"


@pytest.fixture
def second(env: Environment) -> str:
    """Another administrator, who can sign in."""
    env.people["eve"] = User.objects.create_user(username="eve", password=PASSWORD, roles="administrator", name="Eve")
    return "eve"


def url_of(env: Environment, name: str) -> str:
    return f"/staff/{User.objects.get(username=name).pk}/"


def change(env: Environment, person: str = "ana", by: str = "adm", **values: object) -> Page:
    typed = {"username": person, "name": person.title(), "roles": ["support", "manager"], "is_active": "on"}
    return env.post(url_of(env, person), typed | values, by)


def add(env: Environment, by: str = "adm", roles: str = "support") -> str:
    return code_in(env.post("/staff/new/", {"username": "cleo", "name": "Cleo", "roles": roles}, by))


def invite(env: Environment, person: str = "ana", by: str = "adm") -> str:
    return code_in(env.post(f"{url_of(env, person)}invitation/", name=by))


def reset(env: Environment, person: str = "ana", by: str = "adm") -> str:
    return code_in(env.post(f"{url_of(env, person)}factors/reset/", name=by))


def code_in(page: Page) -> str:
    [code] = re.findall(r"/accounts/join/#([\w-]{43})<", page.source)
    return str(code)


def choose(code: str, password: str = NEW) -> None:
    page = read(Client().post("/accounts/join/", {"code": code, "password": password}))
    assert page.location == "/accounts/login/"


def decide(env: Environment, decision: str, by: str) -> Page:
    return env.post(f"/staff/approvals/{ApprovalRequest.objects.latest('asked_at').pk}/", {"decision": decision}, by)


def access_of(name: str = "ana") -> tuple[str, bool]:
    return User.objects.values_list("roles", "is_active").get(username=name)


def gets_in(username: str, password: str = NEW) -> bool:
    browser = Client()
    browser.post("/accounts/login/", {"login": username, "password": password})
    return browser.get("/links/").status_code == HTTPStatus.OK


def events() -> list[tuple[str, str, str]]:
    found = AuditEvent.objects.filter(action__startswith="approval.").order_by("seq")
    return [(each.actor, each.action, str(each.details["roles"])) for each in found]


def test_another_role_waits_until_a_second_administrator_approves_it(env: Environment, second: str) -> None:
    change(env)
    assert access_of() == ("support", True)
    assert "Approval requests are waiting View requests" in env.open("/staff/", second).words
    assert "Account manager, Support" in env.open("/staff/approvals/", second).words
    assert "Approve request" in env.open(url_of(env, "ana"), second).words

    decide(env, "approved", second)

    assert access_of() == ("manager,support", True)
    assert events() == [
        ("adm", "approval.requested", "manager,support"),
        (second, "approval.approved", "manager,support"),
    ]
    assert "No request is waiting" in env.open("/staff/approvals/", second).words
    assert "View requests" not in env.open("/staff/", second).words


def take_a_new_account(env: Environment) -> str:
    choose(add(env))
    return "cleo"


def take_an_account_by_a_link(env: Environment) -> str:
    choose(invite(env))
    return "ana"


def take_an_account_without_its_factors(env: Environment) -> str:
    choose(reset(env))
    return "ana"


def take_an_account_by_mail_to_oneself(env: Environment) -> str:
    change(env, roles="support", email="adm@example.com")
    choose(invite(env))
    return "ana"


def take_an_account_under_another_name(env: Environment) -> str:
    choose(invite(env))
    change(env, username="ann", roles="support", is_active="")
    return "ann"


def take_an_inactive_account(env: Environment) -> str:
    change(env, roles="support", is_active="")
    choose(invite(env))
    change(env, roles="support")
    return "ana"


def give_an_account_more_roles(env: Environment) -> str:
    User.objects.create_user(username="eve", password=NEW, roles="administrator")  # somebody who'd help
    change(env, "eve", roles=["administrator", "support"])
    return "eve"


def replace_ones_request(env: Environment) -> str:
    choose(add(env))
    change(env, "cleo", roles="support")
    return "cleo"


Way = Callable[[Environment], str]
WAYS: list[Way] = [
    take_a_new_account,
    take_an_account_by_a_link,
    take_an_account_without_its_factors,
    take_an_account_by_mail_to_oneself,
    take_an_account_under_another_name,
    take_an_inactive_account,
    give_an_account_more_roles,
    replace_ones_request,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("decision", ["approved", "canceled", ""])
def test_no_administrator_reaches_customers_alone(
    env: Environment, way: Way, decision: str, settings: Settings
) -> None:
    settings.MAIL_SERVER = {"host": "127.0.0.1", "port": 9}
    taken = way(env)
    if decision:
        decide(env, decision, "adm")

    assert not gets_in(taken)


@pytest.mark.parametrize("made_by", [add, invite, reset], ids=lambda each: each.__name__)
def test_password_chosen_with_a_link_opens_the_account_once_it_is_approved(
    env: Environment, second: str, made_by: Callable[[Environment], str]
) -> None:
    code, name = made_by(env), "cleo" if made_by is add else "ana"
    choose(code)
    assert "Before you approve, ask this person by phone" in env.open(url_of(env, name), second).words
    assert (access_of(name), gets_in(name)) == (("support", False), False)
    assert AuditEvent.objects.get(action="session.sign_in_rejected").details == {"reason": "waiting for approval"}

    decide(env, "approved", second)

    assert (access_of(name), gets_in(name)) == (("support", True), True)


@pytest.mark.parametrize("how", ["rejected", "canceled", "expired", "replaced"])
def test_password_that_was_not_approved_never_opens_the_account(env: Environment, second: str, how: str) -> None:
    """Even if somebody who knows nothing of it restores the account later."""
    choose(invite(env))
    if how == "expired":
        with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
            tasks.expire_approval_requests()
    elif how != "replaced":
        decide(env, how, second if how == "rejected" else "adm")
    change(env, roles=["support"], by=second)

    decide(env, "approved", "adm")

    assert access_of() == ("support", True)
    assert not gets_in("ana")


def test_creator_of_a_later_link_is_not_the_one_who_approves(env: Environment, second: str) -> None:
    choose(add(env))
    choose(invite(env, "cleo", by=second), "yet another long password")

    assert decide(env, "approved", second).status == HTTPStatus.FORBIDDEN
    decide(env, "approved", "adm")

    assert (gets_in("cleo"), gets_in("cleo", "yet another long password")) == (False, True)


CHANGES: dict[str, dict[str, object]] = {
    "roles": {"roles": ["administrator", "support"]},
    "e-mail": {"email": "adm@example.com"},
    "username": {"username": "cleopatra"},
}


@pytest.mark.parametrize("values", CHANGES.values(), ids=CHANGES.keys())
def test_link_ends_when_another_administrator_changes_who_it_is_for_or_what_it_opens(
    env: Environment, second: str, settings: Settings, values: dict[str, object]
) -> None:
    """Otherwise, they'd approve what only they chose, because the request is the creator's."""
    settings.MAIL_SERVER = {"host": "127.0.0.1", "port": 9}
    code, url = add(env, by=second, roles="administrator"), url_of(env, "cleo")
    stored = {"roles": ["administrator"], "email": "cleo@example.com", "is_active": ""}
    User.objects.filter(username="cleo").update(email="cleo@example.com")

    change(env, "cleo", by="adm", **stored | values)

    mailed = env.post(f"{url}invitation/mail/", {"code": code}, second)
    assert "This link can't be used anymore" in env.open(mailed.location, second).words
    assert not ApprovalRequest.objects.exists()
    joining = read(Client().post("/accounts/join/", {"code": code, "password": NEW}))
    assert "This link can't be used anymore" in joining.words


def test_link_works_after_a_change_of_the_name(env: Environment, second: str) -> None:
    code = add(env, by=second)

    change(env, "cleo", name="Cleo Lima", roles=["support"], is_active="")

    choose(code)


def test_reset_leaves_no_way_in_to_somebody_who_knows_the_password(env: Environment) -> None:
    reset(env)

    assert not gets_in("ana", PASSWORD)


def test_new_account_is_inactive_until_it_is_approved(env: Environment, second: str) -> None:
    code = add(env)
    assert access_of("cleo") == ("support", False)
    assert "Invited" in env.open("/staff/", "adm").words

    choose(code)

    assert access_of("cleo") == ("support", False)
    assert "Waiting for approval" in env.open(url_of(env, "cleo"), second).words


@pytest.mark.parametrize("values", [{"roles": ["administrator"]}, {"roles": ["auditor"]}, {"roles": ["manager"]}])
def test_every_role_somebody_gains_waits(env: Environment, values: dict[str, list[str]]) -> None:
    change(env, **values)

    assert access_of() == ("support", True)
    assert ApprovalRequest.objects.get().roles == values["roles"][0]


def test_access_that_comes_back_waits_and_the_name_does_not(env: Environment) -> None:
    change(env, roles=["support"], is_active="")
    assert access_of() == ("support", False)

    change(env, roles=["support"], name="Ana Lima")

    assert access_of() == ("support", False)
    assert User.objects.get(username="ana").name == "Ana Lima"
    assert ApprovalRequest.objects.get().state == "pending"


@pytest.mark.parametrize("by", ["adm", "ana"])
@pytest.mark.parametrize("decision", ["approved", "rejected"])
@pytest.mark.usefixtures("second")
def test_neither_who_asked_nor_who_gains_decides(env: Environment, by: str, decision: str) -> None:
    if by == "ana":
        User.objects.filter(username="ana").update(roles="administrator")
        env.people["ana"].refresh_from_db()
    change(env, roles=["administrator", "support"])

    assert decide(env, decision, by).status == HTTPStatus.FORBIDDEN

    assert ApprovalRequest.objects.get().state == "pending"


@pytest.mark.parametrize(("decision", "by"), [("rejected", "eve"), ("canceled", "adm")])
@pytest.mark.usefixtures("second")
def test_request_that_is_over_gives_nothing(env: Environment, decision: str, by: str) -> None:
    change(env)
    decide(env, decision, by)

    later = decide(env, "approved", "eve")

    assert "was decided or has expired" in env.open(later.location, "eve").words
    assert access_of() == ("support", True)
    assert events()[1:] == [(by, f"approval.{decision}", "manager,support")]


def test_request_expires_after_a_week(env: Environment, second: str) -> None:
    change(env)

    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        decide(env, "approved", second)
        tasks.expire_approval_requests()

    assert access_of() == ("support", True)
    assert events()[1:] == [("", "approval.expired", "manager,support")]


def test_later_request_replaces_the_first_and_less_access_cancels_it(env: Environment) -> None:
    change(env)
    change(env, roles=["manager"])
    change(env, roles=["support"], is_active="")

    assert access_of() == ("support", False)
    states = ApprovalRequest.objects.order_by("asked_at").values_list("roles", "state")
    assert list(states) == [("manager,support", "canceled"), ("manager", "canceled")]


def test_host_approves_only_without_another_administrator(env: Environment, caplog: pytest.LogCaptureFixture) -> None:
    change(env)
    pk = str(ApprovalRequest.objects.get().pk)
    assert f"manage.py approve {pk}" in env.open(url_of(env, "ana"), "adm").words
    eve = User.objects.create_user(username="eve", password=PASSWORD, roles="administrator")
    with pytest.raises(CommandError, match="Another administrator"):
        call_command("approve", pk)
    User.objects.filter(pk=eve.pk).update(is_active=False)

    listed = StringIO()
    call_command("approve", stdout=listed)
    call_command("approve", pk, stdout=StringIO())

    assert f"{pk}  More access  ana  Account manager, Support  adm" in listed.getvalue()
    assert "by phone" not in listed.getvalue()
    lines = [each.msg for each in caplog.records if isinstance(each.msg, dict)]
    assert [each["approval_id"] for each in lines if each["event"] == "access.approved"] == [pk]
    assert access_of() == ("manager,support", True)
    assert events()[1:] == [("", "approval.approved", "manager,support")]
    assert AuditEvent.objects.get(action="approval.approved").details["by"] == "host"
    with pytest.raises(CommandError, match="no pending request"):
        call_command("approve", pk)


def test_host_is_reminded_to_call_before_approving_a_new_password(env: Environment) -> None:
    choose(invite(env))

    listed = StringIO()
    call_command("approve", stdout=listed)

    assert "  New password  ana  Support  adm" in listed.getvalue()
    assert "ask the person by phone whether they chose it" in listed.getvalue()


def test_host_approves_while_the_other_administrator_has_nothing_to_sign_in_with(env: Environment, second: str) -> None:
    change(env)
    pk = str(ApprovalRequest.objects.get().pk)
    reset(env, second)

    assert f"manage.py approve {pk}" in env.open(url_of(env, "ana"), "adm").words
    call_command("approve", pk, stdout=StringIO())

    assert access_of() == ("manager,support", True)


def test_auditors_see_requests_and_decide_nothing(env: Environment) -> None:
    change(env)

    page = env.open(url_of(env, "ana"), "aud")

    assert "Waiting for approval" in page.words
    assert "Approve request" not in page.words
    assert decide(env, "approved", "aud").status == HTTPStatus.FORBIDDEN


def at_once(*acts: Callable[[], object]) -> None:
    together = threading.Barrier(len(acts))

    def act(work: Callable[[], object]) -> None:
        try:
            together.wait()
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as people:
        list(people.map(act, acts))


def closed() -> list[str]:
    return [action for _actor, action, _roles in events() if action != "approval.requested"]


@pytest.mark.django_db(transaction=True)
def test_approving_and_canceling_at_once_has_one_outcome(env: Environment, second: str) -> None:
    choose(invite(env))
    env.client(second)

    at_once(lambda: decide(env, "approved", second), lambda: decide(env, "canceled", "adm"))

    [action] = closed()
    assert gets_in("ana") is (action == "approval.approved")


@pytest.mark.django_db(transaction=True)
def test_role_added_while_a_password_is_approved_is_not_approved_with_it(env: Environment, second: str) -> None:
    choose(invite(env))
    env.client(second)

    at_once(
        lambda: decide(env, "approved", second),
        lambda: change(env, roles=["manager"], is_active=""),
    )

    assert closed() in (["approval.approved"], ["approval.canceled"])
    assert access_of() in {("support", True), ("manager", False)}
    assert gets_in("ana") is access_of()[1]


@pytest.mark.django_db(transaction=True)
def test_link_used_twice_at_once_sets_one_password_that_waits(env: Environment) -> None:
    code, statuses = invite(env), []

    def use(password: str) -> None:
        statuses.append(Client().post("/accounts/join/", {"code": code, "password": password}).status_code)

    at_once(lambda: use(NEW), lambda: use("yet another long password"))

    assert sorted(statuses) == [HTTPStatus.FOUND, HTTPStatus.UNPROCESSABLE_ENTITY]
    assert [action for _actor, action, _roles in events()] == ["approval.requested"]
    assert not any(gets_in("ana", password) for password in (NEW, "yet another long password"))
