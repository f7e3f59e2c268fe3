"""Authenticator apps and recovery codes: added, used to sign in, each code once, and removed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connections
from django.test import Client
from django.utils import timezone

from linkadmin.accounts.factors import owned
from linkadmin.accounts.models import RecoveryCode, StaffSession, User
from linkadmin.audit.models import AuditEvent
from tests.environment import PASSWORD, Environment
from tests.markup import read
from tests.second_factors import (
    ADD_APP,
    SECOND_STEP,
    STEP,
    App,
    add_app,
    after_password,
    codes_in,
    give,
    is_in,
    offered,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SECURITY = "/accounts/security/"


def events(action: str) -> list[tuple[str, dict[str, object]]]:
    return [(each.actor, each.details) for each in AuditEvent.objects.filter(action=action)]


@pytest.fixture
def app(env: Environment) -> App:
    return add_app(env.client())


def test_app_is_added_with_ten_recovery_codes(env: Environment) -> None:
    app = add_app(env.client())

    assert len(set(app.codes)) == 10
    page = env.open(SECURITY)
    assert "Authenticator app" in page.words
    assert "10 recovery codes left" in page.words
    assert events("staff.factor_added") == [("ana", {"kind": "totp"})]
    assert events("staff.recovery_codes_created") == [("ana", {})]


def test_sign_in_asks_for_the_code_after_the_password(app: App) -> None:
    browser = after_password("ana")
    assert not is_in(browser)

    answer = give(browser, app.next_code)

    assert (answer.status, answer.location, is_in(browser)) == (HTTPStatus.FOUND, "/", True)
    assert events("session.started")[-1] == ("ana", {"factor": "totp"})


def test_sign_in_returns_to_the_page_that_was_wanted(app: App) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": "ana", "password": PASSWORD, "next": "/links/?state=broken"})

    assert give(browser, app.next_code).location == "/links/?state=broken"


def test_colleague_without_a_second_factor_needs_only_the_password(app: App) -> None:
    assert is_in(after_password("ben"))


def test_wrong_code_is_rejected_recorded_and_not_drawn_again(app: App) -> None:
    browser = after_password("ana")

    page = give(browser, "12-34-56")

    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert page.error_at("code").startswith("Wrong code.")
    assert "12-34-56" not in page.source
    assert not is_in(browser)
    assert events("session.factor_rejected") == [("", {})]


def test_code_works_once(app: App) -> None:
    code = app.next_code
    first, second = after_password("ana"), after_password("ana")

    give(first, code)
    give(second, code)

    assert (is_in(first), is_in(second)) == (True, False)


def test_code_that_added_the_app_does_not_sign_in(env: Environment) -> None:
    page, app = offered(env.client())
    code = app.code()
    env.post(ADD_APP, page.form_with("key", "code").values | {"code": code})
    browser = after_password("ana")

    give(browser, code)

    assert not is_in(browser)


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clock_of_a_device_may_be_off_by_one_step(app: App, steps: int, accepted: bool) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        browser = after_password("ana")
        give(browser, app.code(later=steps * STEP))
        assert is_in(browser) is accepted


def test_earlier_code_is_rejected_after_a_later_one(app: App) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        give(after_password("ana"), app.next_code)
        browser = after_password("ana")
        give(browser, app.code())

    assert not is_in(browser)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_only_one_of_parallel_uses_of_a_code_is_accepted(app: App, kind: str) -> None:
    code = app.next_code if kind == "app" else app.codes[0]
    browsers = [after_password("ana") for _each in range(4)]

    def use(browser: Client) -> int:
        try:
            return give(browser, code).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(browsers)) as people:
        answers = list(people.map(use, browsers))

    assert sorted(answers) == [HTTPStatus.FOUND, *[HTTPStatus.UNPROCESSABLE_ENTITY] * 3]


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_two_tabs_leave_one_of_two_required_factors(env: Environment) -> None:
    ana = env.people["ana"]
    factors = [
        Authenticator.objects.create(user=ana, type=kind, data={}) for kind in (Authenticator.Type.TOTP, "webauthn")
    ]

    def remove(factor: Authenticator) -> bool:
        try:
            return owned.remove(ana, factor.pk, keeps_one=True)
        except owned.LastFactor:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as tabs:
        assert sorted(tabs.map(remove, factors)) == [False, True]
    assert Authenticator.objects.filter(user=ana).count() == 1


def test_recovery_code_works_once_in_any_spelling(env: Environment, app: App) -> None:
    first, second = after_password("ana"), after_password("ana")

    give(first, f" {app.codes[3].upper().replace('-', ' ')} ")
    give(second, app.codes[3])

    assert (is_in(first), is_in(second)) == (True, False)
    assert "9 recovery codes left" in env.open(SECURITY).words
    assert events("session.started")[-1] == ("ana", {"factor": "recovery code"})


def test_recovery_code_of_a_colleague_is_rejected(env: Environment, app: App) -> None:
    others = add_app(env.client("ben")).codes
    browser = after_password("ana")

    give(browser, others[0])

    assert not is_in(browser)


def test_new_recovery_codes_replace_the_old_ones(env: Environment, app: App) -> None:
    page = env.post("/accounts/recovery-codes/")
    old, new = after_password("ana"), after_password("ana")

    give(old, app.codes[0])
    give(new, codes_in(page)[0])

    assert (is_in(old), is_in(new)) == (False, True)
    assert page.headers["content-encoding"] == "identity"
    assert "no-store" in page.headers["cache-control"]


def test_sixth_wrong_code_in_fifteen_minutes_is_not_checked_anywhere(app: App) -> None:
    for attempt in range(5):
        give(after_password("ana"), f"wrong {attempt}")
    browser = after_password("ana")

    page = give(browser, app.next_code)

    assert "Too many failed sign-ins" in page.error_at("code")
    assert not is_in(browser)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        browser = after_password("ana")
        give(browser, app.code())
        assert is_in(browser)


@pytest.mark.parametrize("what", ["deactivated", "roles", "password", "sessions ended"])
def test_password_step_ends_with_what_ends_sessions(env: Environment, app: App, what: str) -> None:
    browser, ana = after_password("ana"), User.objects.filter(username="ana")
    if what == "sessions ended":
        env.post(f"/staff/{ana.get().pk}/sessions/end/", name="adm")
    else:
        value = {"deactivated": {"is_active": False}, "roles": {"roles": "manager"}, "password": {"password": "other"}}
        ana.update(**value[what])

    answer = give(browser, app.next_code)

    assert (answer.location, is_in(browser)) == ("/accounts/login/", False)


def test_password_step_lasts_five_minutes(app: App) -> None:
    browser = after_password("ana")

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert give(browser, app.code()).location == "/accounts/login/"
        assert not is_in(browser)


def test_second_step_needs_the_first(app: App) -> None:
    browser = Client()

    assert browser.get(SECOND_STEP)["Location"] == "/accounts/login/"
    assert give(browser, app.next_code).location == "/accounts/login/"
    assert not is_in(browser)


def test_wrong_code_of_the_app_adds_nothing_and_keeps_the_key(env: Environment) -> None:
    page, app = offered(env.client())

    again = env.post(ADD_APP, page.form_with("key", "code").values | {"code": "000000"})

    assert again.error_at("code").startswith("Wrong code.")
    assert not Authenticator.objects.exists()
    env.post(ADD_APP, again.form_with("key", "code").values | {"code": app.code()})
    assert Authenticator.objects.count() == 1


@pytest.mark.parametrize("forged", ["a colleague's", "made up", "the stored one"])
def test_only_a_key_that_was_offered_to_this_person_is_added(env: Environment, app: App, forged: str) -> None:
    page, others = offered(env.client("ben"))
    stored = Authenticator.objects.get().data["key"]
    key = {"a colleague's": page.form_with("key").values["key"], "made up": "AAAA", "the stored one": stored}[forged]

    answer = env.post(ADD_APP, {"key": key, "code": others.code()})

    assert answer.location == ADD_APP
    assert Authenticator.objects.get().data["key"] == stored


def test_keys_and_codes_are_stored_nowhere_in_clear(app: App) -> None:
    give(after_password("ana"), app.codes[0])

    tables = (Authenticator, RecoveryCode, AuditEvent, StaffSession, User)
    stored = [str(row) for model in tables for row in model.objects.values()]
    stored += [str(each.get_decoded()) for each in StaffSession.objects.all()]

    assert not [row for row in stored for secret in (app.key, *app.codes) if secret in row]


def test_removing_the_last_second_factor_removes_its_codes(env: Environment, app: App) -> None:
    factor = Authenticator.objects.get()

    env.post(f"/accounts/factors/{factor.pk}/remove/")

    assert not RecoveryCode.objects.exists()
    assert is_in(after_password("ana"))
    assert events("staff.factor_removed") == [("ana", {"kind": "totp"})]


def test_nobody_removes_a_colleagues_second_factor(env: Environment, app: App) -> None:
    page = env.post(f"/accounts/factors/{Authenticator.objects.get().pk}/remove/", name="ben")

    assert page.status == HTTPStatus.NOT_FOUND
    assert Authenticator.objects.count() == 1


def test_administrator_resets_the_factors_of_a_colleague(env: Environment, app: App) -> None:
    ana, here = env.people["ana"], env.client()
    page = env.open(f"/staff/{ana.pk}/", "adm")
    assert "Authenticator app" in page.words
    waiting = after_password("ana")

    reset = env.post(f"/staff/{ana.pk}/factors/reset/", name="adm")

    assert "/accounts/join/#" in reset.source
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not is_in(here)
    assert give(waiting, app.codes[0]).location == "/accounts/login/"
    assert events("staff.factors_reset") == [("adm", {})]


def test_nobody_resets_their_own_factors(env: Environment) -> None:
    add_app(env.client("adm"))

    page = env.post(f"/staff/{env.people['adm'].pk}/factors/reset/", name="adm")

    assert page.status == HTTPStatus.FORBIDDEN
    assert Authenticator.objects.count() == 1


def test_auditor_sees_factors_and_cannot_reset_them(env: Environment, app: App) -> None:
    page = env.open(f"/staff/{env.people['ana'].pk}/", "aud")

    assert "Authenticator app" in page.words
    assert "Reset second factors" not in page.words


def test_pages_with_a_key_are_not_compressed_or_stored(env: Environment) -> None:
    page = read(env.client().get(ADD_APP, headers={"Accept-Encoding": "gzip"}))

    assert page.headers["content-encoding"] == "identity"
    assert "no-store" in page.headers["cache-control"]
