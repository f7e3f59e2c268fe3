"""Staff: invited by a link that works once, changed by administrators, with passwords that only they know."""

import re
from datetime import timedelta
from http import HTTPStatus
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.accounts import tasks
from linkadmin.accounts.models import ApprovalRequest, Identity, Invitation, StaffSession, User
from linkadmin.audit.models import AuditEvent
from tests.environment import PASSWORD, Environment
from tests.markup import Page, read
from tests.second_factors import add_app

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NEW = "another horse, another battery"


def code_in(page: Page) -> str:
    assert page.status == HTTPStatus.OK
    [code] = re.findall(r"http://testserver/accounts/join/#([\w-]{43})<", page.source)
    return str(code)


def invite(env: Environment) -> str:
    return code_in(env.post("/staff/new/", {"username": "cleo", "name": "Cleo", "roles": "manager"}, "adm"))


def new_link(env: Environment, name: str = "ana") -> str:
    return code_in(env.post(f"/staff/{env.people[name].pk}/invitation/", name="adm"))


def join(code: str, password: str = "", browser: Client | None = None) -> Page:
    values = {"code": code} | ({"password": password} if password else {})
    return read((browser or Client()).post("/accounts/join/", values))


def approve() -> None:
    call_command("approve", str(ApprovalRequest.objects.get().pk), stdout=StringIO())


def sign_in(username: str, password: str) -> bool:
    answer = Client().post("/accounts/login/", {"login": username, "password": password})
    return answer.status_code == HTTPStatus.FOUND


def events(action: str) -> list[tuple[str, str, dict[str, object]]]:
    return [(each.actor, each.object_id, each.details) for each in AuditEvent.objects.filter(action=action)]


def test_invited_colleague_chooses_a_password_and_signs_in(env: Environment) -> None:
    code = invite(env)
    cleo = User.objects.get(username="cleo")
    assert "Invited" in env.open("/staff/", "adm").words

    welcome = join(code)
    assert "Welcome, Cleo" in welcome.words
    browser = Client()
    saved = join(code, NEW, browser)

    assert saved.headers["location"] == "/accounts/login/"
    assert "once a second person approves it" in read(browser.get("/accounts/login/")).words
    early = read(Client().post("/accounts/login/", {"login": "cleo", "password": NEW}))
    assert "A second person has to approve your password" in early.words
    assert not sign_in("cleo", "not that password")
    approve()
    assert sign_in("cleo", NEW)
    assert events("staff.created") == [("adm", str(cleo.pk), {"roles": "manager"})]
    assert events("staff.invited") == [("adm", str(cleo.pk), {})]
    assert events("staff.invitation_accepted") == [("cleo", str(cleo.pk), {})]


def test_pasted_link_is_as_good_as_its_code(env: Environment) -> None:
    code = invite(env)

    assert "Welcome, Cleo" in join(f"  https://links.example.com/accounts/join/#{code}\n").words


@pytest.mark.parametrize("how", ["used", "expired", "replaced", "deactivated", "made up", "empty"])
def test_link_that_is_over_sets_no_password(env: Environment, how: str) -> None:
    code = new_link(env)
    ana, hashed = env.people["ana"], User.objects.get(username="ana").password
    later = timedelta(0)
    if how == "used":
        join(code, NEW)
        hashed = User.objects.get(pk=ana.pk).password
    elif how == "expired":
        later = timedelta(days=3)
    elif how == "replaced":
        new_link(env)
    elif how == "deactivated":
        env.post(f"/staff/{ana.pk}/", {"username": "ana", "name": "Ana", "roles": "support"}, "adm")
    else:
        code = {"made up": "x" * 43, "empty": ""}[how]

    with time_machine.travel(timezone.now() + later):
        page = join(code, "yet another long password")

    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This link can't be used anymore" in page.words
    assert User.objects.get(pk=ana.pk).password == hashed


def test_weak_password_is_rejected_at_its_field_and_the_link_still_works(env: Environment) -> None:
    code = invite(env)

    page = join(code, "short")
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This password is too short" in page.words
    assert "short" not in [element.attrs.get("value") for element in page.elements]
    join(code, NEW)
    approve()

    assert sign_in("cleo", NEW)


def test_old_password_works_until_a_new_one_is_chosen_which_ends_all_sessions(env: Environment) -> None:
    env.client()
    code = new_link(env)
    assert sign_in("ana", PASSWORD)

    join(code, NEW)

    assert not StaffSession.objects.filter(user=env.people["ana"]).exists()
    approve()
    assert (sign_in("ana", PASSWORD), sign_in("ana", NEW)) == (False, True)


@pytest.mark.parametrize("way", ["invitation", "own"])
def test_new_password_keeps_what_an_administrator_changes_meanwhile(
    env: Environment, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    code, browser, set_password = new_link(env), env.client(), User.set_password

    def demoted_meanwhile(user: User, password: str) -> None:
        User.objects.filter(pk=user.pk).update(roles="auditor", is_active=False)
        set_password(user, password)

    monkeypatch.setattr(User, "set_password", demoted_meanwhile)
    if way == "invitation":
        join(code, NEW)
    else:
        browser.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    ana = User.objects.get(username="ana")
    assert (ana.roles, ana.is_active, ana.check_password(NEW)) == ("auditor", False, True)


def test_code_is_stored_nowhere(env: Environment) -> None:
    code = invite(env)

    stored = [str(row) for model in (Invitation, AuditEvent, StaffSession, User) for row in model.objects.values()]

    assert not [row for row in stored if code in row]


def test_expired_links_are_deleted(env: Environment) -> None:
    new_link(env)
    new_link(env, "ben")
    Invitation.objects.filter(user=env.people["ana"]).update(expires_at=timezone.now())

    tasks.delete_expired_invitations()

    assert [each.user_id for each in Invitation.objects.all()] == [env.people["ben"].pk]


def test_changing_ones_password_ends_an_earlier_link(env: Environment) -> None:
    code = new_link(env)

    env.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert join(code, "a third one, of somebody else").status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert User.objects.get(username="ana").check_password(NEW)


def test_link_of_somebody_deactivated_does_not_work_after_they_are_back(env: Environment) -> None:
    code, url = new_link(env), f"/staff/{env.people['ana'].pk}/"
    account = {"username": "ana", "name": "Ana", "roles": "support"}

    env.post(url, account, "adm")
    env.post(url, account | {"is_active": "on"}, "adm")
    approve()

    assert join(code, NEW).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert User.objects.get(username="ana").is_active


def test_nobody_gets_a_link_for_themselves(env: Environment) -> None:
    assert env.post(f"/staff/{env.people['adm'].pk}/invitation/", name="adm").status == HTTPStatus.FORBIDDEN
    assert not Invitation.objects.exists()


def test_changing_role_and_access_is_recorded(env: Environment) -> None:
    ana = env.people["ana"]

    env.post(f"/staff/{ana.pk}/", {"username": "ana", "name": ana.name, "roles": "manager"}, "adm")

    ana.refresh_from_db()
    assert (ana.roles, ana.is_active) == ("manager", False)
    details = {"fields": "roles, is_active", "roles": "manager", "active": False}
    assert events("staff.updated") == [("adm", str(ana.pk), details)]


def test_administrators_cannot_change_their_own_role_or_access(env: Environment) -> None:
    adm = env.people["adm"]

    env.post(f"/staff/{adm.pk}/", {"username": "adm", "name": "Me", "roles": "support"}, "adm")

    adm.refresh_from_db()
    assert (adm.name, adm.roles, adm.is_active) == ("Me", "administrator", True)


def test_several_roles_for_one_person(env: Environment) -> None:
    ana, url = env.people["ana"], f"/staff/{env.people['ana'].pk}/"
    env.client()
    User.objects.filter(pk=ana.pk).update(roles="manager,support")

    page = env.open(url, "adm")
    chosen = [each for each in page.elements if each.attrs.get("name") == "roles" and "checked" in each.attrs]
    assert [each.attrs["value"] for each in chosen] == ["support", "manager"]
    assert "Account manager, Support" in page.words
    env.post(url, {"username": "ana", "name": "Ana", "roles": ["manager"], "is_active": "on"}, "adm")

    assert User.objects.get(pk=ana.pk).roles == "manager"
    assert events("staff.updated") == [("adm", str(ana.pk), {"fields": "roles", "roles": "manager", "active": True})]
    assert not StaffSession.objects.filter(user=ana).exists()


@pytest.mark.parametrize("roles", [["auditor", "support"], ["auditor", "administrator"], ["king"], []])
def test_roles_that_nobody_may_have_together_are_rejected_at_their_field(env: Environment, roles: list[str]) -> None:
    ana = env.people["ana"]

    page = env.post(f"/staff/{ana.pk}/", {"username": "ana", "roles": roles, "is_active": "on"}, "adm")

    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert page.error_at("roles")
    assert User.objects.get(pk=ana.pk).roles == "support"


@pytest.mark.parametrize("url", ["/staff/new/", "/staff/{ben}/"])
def test_username_is_unique_in_any_case(env: Environment, url: str) -> None:
    values = {"username": "ANA", "name": "", "roles": "support", "is_active": "on"}

    page = env.post(url.format(ben=env.people["ben"].pk), values, "adm")

    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This username is taken" in page.words


def test_auditors_see_staff_and_change_nothing(env: Environment) -> None:
    page = env.open(f"/staff/{env.people['ana'].pk}/", "aud")

    assert "ana" in page.words
    assert "Save changes" not in page.words
    assert "Create invitation" not in page.words
    assert "Invite a colleague" not in env.open("/staff/", "aud").words


def test_list_shows_who_has_no_second_factor(env: Environment) -> None:
    add_app(env.client("ana"))
    Identity.objects.create(user=env.people["ben"], issuer="https://id.example.com", subject="ben")
    User.objects.filter(username="mia").update(is_active=False)

    everyone, without = env.open("/staff/", "adm"), env.open("/staff/?factor=none", "adm")

    assert [row for row in rows_of(everyone) if "None" in row] == rows_of(without)
    assert [row.split()[1] for row in rows_of(without)] == ["adm", "aud"]
    assert env.client("adm").get("/staff/?factor=some").status_code == HTTPStatus.BAD_REQUEST


def test_list_says_when_everyone_has_one(env: Environment) -> None:
    User.objects.exclude(username="adm").delete()
    add_app(env.client("adm"))

    assert "Everyone has a second factor" in env.open("/staff/?factor=none", "adm").words


@pytest.mark.parametrize("url", ["/staff/", "/staff/?factor=none"])
def test_list_costs_as_much_for_many(env: Environment, url: str) -> None:
    browser = env.client("adm")
    browser.get(url)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(url).status_code == HTTPStatus.OK
        return len(captured)

    few = statements()
    User.objects.bulk_create(User(username=f"person-{number}", roles="support", password="!") for number in range(60))

    assert statements() == few


def rows_of(page: Page) -> list[str]:
    rows = re.findall(r"<tr>(.*?)</tr>", page.source, re.DOTALL)[1:]
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]
