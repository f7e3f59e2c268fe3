"""Staff accounts."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.audit.models import AuditEvent

from .conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.mark.parametrize("roles", ["king", "auditor,support", "support,manager"])
def test_member_has_roles_that_go_together(roles: str) -> None:
    with pytest.raises(ValidationError):
        User.objects.create_user(username="ana", password=PASSWORD, roles=roles)
    with pytest.raises(IntegrityError, match="user_has_known_roles"):
        User.objects.create(username="ana", roles=roles)


def test_new_member_has_a_role() -> None:
    with pytest.raises(ValidationError):
        User.objects.create_user(username="ana", password=PASSWORD, roles="")


def test_usernames_cannot_differ_by_case_alone() -> None:
    User.objects.create_user(username="ana", password=PASSWORD, roles=Role.SUPPORT)

    with pytest.raises(ValidationError, match="taken"):
        User.objects.create_user(username="Ana", password=PASSWORD, roles=Role.SUPPORT)


@pytest.mark.parametrize("role", Role)
def test_nobody_has_a_permission_outside_the_matrix(role: Role) -> None:
    member = User(username="ana", roles=role)

    assert not member.has_perm("auth.view_group")
    assert not member.has_module_perms("auth")
    assert not member.has_perm("audit.delete_auditevent")
    assert not member.has_perm("accounts.delete_user")


def test_inactive_account_has_no_permissions() -> None:
    assert User(roles=Role.AUDITOR).has_perm("audit.view_auditevent")
    assert not User(roles=Role.AUDITOR, is_active=False).has_perm("audit.view_auditevent")


def test_creating_the_first_administrator_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", username="ada", interactive=False)

    ada = User.objects.get()
    assert (ada.roles, ada.check_password(PASSWORD)) == (Role.ADMINISTRATOR, True)
    assert AuditEvent.objects.get().action == "staff.created"


@pytest.mark.parametrize("password", ["short", "12345678901234567890", "ada.the.administrator", ""])
def test_weak_password_creates_no_administrator(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)

    with pytest.raises(CommandError):
        call_command("createsuperuser", username="ada.the.administrator", interactive=False)

    assert not User.objects.exists()


def test_administrator_without_a_password_is_not_created() -> None:
    with pytest.raises(CommandError):
        call_command("createsuperuser", username="ada", interactive=False)
