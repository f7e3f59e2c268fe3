"""Break-glass on the host, for somebody who lost all second factors."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from pytest_django import Settings

from linkadmin.accounts.models import RecoveryCode, User
from linkadmin.audit.models import AuditEvent
from tests.environment import Environment
from tests.second_factors import add_app, after_password, is_in

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_access_is_recovered_with_an_event_and_an_alert(
    env: Environment, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    here = env.client("adm")
    add_app(here)

    call_command("recover_access", "ADM")

    assert not is_in(here)
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    event = AuditEvent.objects.get(action="staff.access_recovered")
    assert (event.actor, event.object_id) == ("", str(env.people["adm"].pk))
    lines = [each.msg for each in caplog.records if isinstance(each.msg, dict)]
    assert [each["user_id"] for each in lines if each["event"] == "access.recovered"] == [str(env.people["adm"].pk)]
    settings.SECOND_FACTOR_REQUIRED = True
    assert after_password("adm").get("/")["Location"] == "/accounts/factors/new/"


def test_inactive_person_gets_nothing(env: Environment) -> None:
    add_app(env.client("adm"))
    User.objects.filter(username="adm").update(is_active=False)

    with pytest.raises(CommandError, match="This account is inactive"):
        call_command("recover_access", "adm")

    assert Authenticator.objects.exists()


def test_unknown_username_recovers_nothing(env: Environment) -> None:
    with pytest.raises(CommandError, match="Nobody has this username"):
        call_command("recover_access", "nobody")
