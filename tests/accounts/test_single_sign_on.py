"""Single sign-on against a local identity provider: who gets in, as whom, and what is refused."""

import base64
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, quote_plus

import flask
import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from linkadmin.accounts import limits
from linkadmin.accounts.models import Identity, User
from linkadmin.accounts.single_sign_on import provider as provider_module
from linkadmin.audit.models import AuditEvent
from tests import identity_provider
from tests.canary.canaries import Canaries
from tests.canary.dump import tables
from tests.environment import PASSWORD, Environment
from tests.identity_provider import CALLBACK, SECRET, SIGN_IN, START, Provider, back, forget, leave, query, sign_in, use
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DISCOVERY = "/.well-known/openid-configuration"
LINKS = "/links/new/"


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with identity_provider.running() as provider:
        yield provider


@pytest.fixture
def acme(server: Provider, settings: Settings) -> Iterator[Provider]:
    use(settings, server.url)
    server.knows("7001", roles=["team support"], name="Cleo Vance", preferred_username="cleo", email="ana@example.com")
    yield server
    server.instead.clear()
    server.claims, server.beside, server.key_name = {}, {}, ""


def rejected() -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(action="session.sign_in_rejected")
    return [(event.object_id, event.details.get("reason", "")) for event in events]


def is_in(client: Client) -> bool:
    return client.get("/").status_code == HTTPStatus.OK


def linked(env: Environment, name: str, sub: str) -> User:
    Identity.objects.create(user=env.people[name], issuer=provider_module.identity_provider().issuer, subject=sub)
    return env.people[name]


def test_first_sign_in_creates_an_account_with_the_role_of_its_claim(acme: Provider, env: Environment) -> None:
    client = Client()

    page = sign_in(acme, client, "7001", onward="/links/")

    assert page.headers["location"] == "/links/"
    cleo = User.objects.get(username="cleo")
    assert (cleo.name, cleo.roles, cleo.email, cleo.has_usable_password()) == ("Cleo Vance", "support", "", False)
    assert client.get("/links/").status_code == HTTPStatus.OK
    created = AuditEvent.objects.get(action="staff.created", object_id=str(cleo.pk))
    assert (created.actor, created.details) == ("", {"roles": "support", "reason": "single sign-on"})
    assert AuditEvent.objects.get(action="session.started", actor="cleo").details == {"factor": "single sign-on"}


def test_request_is_bound_by_state_nonce_and_pkce(acme: Provider, env: Environment) -> None:
    client = Client()
    asked = query(leave(client))

    sign_in(acme, client, "7001")

    sent = acme.parameters("/oauth2/token")
    asked = [parameters for path, parameters, _credentials in acme.asked if path == "/oauth2/authorize"][-1]
    digest = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (digest, "S256")
    assert asked["redirect_uri"] == sent["redirect_uri"] == f"http://testserver{CALLBACK}"
    assert (asked["response_type"], asked["scope"]) == ("code", "openid profile")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert "prompt" not in asked
    pair = base64.b64decode(acme.asked[-2][2].removeprefix("Basic ")).decode()
    assert pair == f"linkadmin:{quote_plus(SECRET)}"


def test_second_factor_is_the_providers(acme: Provider, env: Environment, settings: Settings) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    client = Client()

    sign_in(acme, client, "7001")

    assert is_in(client)
    assert "You sign in with Acme." in read(client.get("/accounts/security/")).words
    assert client.get("/accounts/password/")["Location"] == "/accounts/security/"


def test_same_person_gets_the_same_account(acme: Provider, env: Environment) -> None:
    sign_in(acme, Client(), "7001")
    acme.knows("7001", roles=["team support"], preferred_username="another")
    sign_in(acme, Client(), "7001")

    assert [each.user.username for each in Identity.objects.all()] == ["cleo"]


def test_username_and_email_of_a_colleague_link_nothing(acme: Provider, env: Environment) -> None:
    User.objects.filter(username="ana").update(email="ana@example.com")
    acme.knows("7002", roles="team support", preferred_username="ANA", email="ana@example.com", email_verified=True)

    sign_in(acme, Client(), "7002")

    identity = Identity.objects.get(subject="7002")
    assert identity.user != env.people["ana"]
    assert re.fullmatch(r"sso-[0-9a-f]{12}", identity.user.username)


@pytest.mark.parametrize("roles", [None, [], ["other"], "admin", {"team support": True}, 7, ["audit", "leads"]])
def test_claim_without_a_role_of_ours_gives_no_access(acme: Provider, env: Environment, roles: Any) -> None:
    acme.knows("7003", roles=roles)
    client = Client()

    page = sign_in(acme, client, "7003")

    assert page.status == HTTPStatus.FORBIDDEN
    assert "Acme knows you, but gives you no role here. Ask the people who manage Acme for one" in page.words
    assert not is_in(client)
    assert not Identity.objects.exists()
    assert rejected() == [("", "no role")]


def test_several_roles_are_joined(acme: Provider, env: Environment) -> None:
    acme.knows("7001", roles=["leads", "everybody", "team support"], preferred_username="cleo")

    sign_in(acme, Client(), "7001")

    assert User.objects.get(username="cleo").roles == "manager,support"


@pytest.mark.parametrize(("before", "after"), [("leads", "team support"), ("team support", "leads")])
def test_roles_are_taken_at_every_sign_in_and_end_other_sessions(
    acme: Provider, env: Environment, before: str, after: str
) -> None:
    acme.knows("7001", roles=[before], preferred_username="cleo")
    elsewhere, here = Client(), Client()
    sign_in(acme, elsewhere, "7001")
    acme.knows("7001", roles=[after])

    sign_in(acme, here, "7001")

    cleo = User.objects.get(username="cleo")
    assert cleo.roles == {"leads": "manager", "team support": "support"}[after]
    assert not is_in(elsewhere)
    assert is_in(here)
    details = AuditEvent.objects.get(action="staff.updated", object_id=str(cleo.pk)).details
    assert details == {"fields": "roles", "roles": cleo.roles, "reason": "single sign-on"}


def test_lost_role_ends_all_sessions(acme: Provider, env: Environment) -> None:
    elsewhere = Client()
    sign_in(acme, elsewhere, "7001")
    acme.knows("7001", roles=[])

    page = sign_in(acme, Client(), "7001")

    assert page.status == HTTPStatus.FORBIDDEN
    assert not is_in(elsewhere)
    assert rejected() == [(str(User.objects.get(username="cleo").pk), "no role")]


def test_inactive_person_stays_out(acme: Provider, env: Environment) -> None:
    sign_in(acme, Client(), "7001")
    User.objects.filter(username="cleo").update(is_active=False)
    client = Client()

    page = sign_in(acme, client, "7001")

    assert (page.status, "Your account is inactive" in page.words) == (HTTPStatus.FORBIDDEN, True)
    assert not is_in(client)
    assert rejected() == [(str(User.objects.get(username="cleo").pk), "inactive")]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "http://localhost/"}, "another issuer"),
        ({"aud": "another-client"}, "issued to another client"),
        ({"aud": ["linkadmin", "another"], "azp": "another"}, "issued to another client"),
        ({"exp": 1}, "expired"),
        ({"nonce": "another"}, "another nonce"),
        ({"nonce": ...}, "another nonce"),
        ({"sub": ""}, "unusable sub"),
        ({"sub": "a\x00b"}, "unusable sub"),
        ({"iat": ...}, "invalid token"),
        ({"exp": ...}, "invalid token"),
        ({"aud": ...}, "invalid token"),
        ({"sub": ...}, "invalid token"),
        ({"sub": 7}, "invalid token"),
    ],
)
def test_token_that_is_not_for_us_is_refused(
    acme: Provider, env: Environment, claims: dict[str, Any], reason: str
) -> None:
    acme.claims = claims
    client = Client()

    page = sign_in(acme, client, "7001")

    assert (page.status, "Acme didn't confirm who you are" in page.words) == (HTTPStatus.FORBIDDEN, True)
    assert "ask an auditor: the audit log says why" in page.words
    assert not is_in(client)
    assert rejected() == [("", reason)]


@pytest.mark.parametrize("trailing", ["/", "//"])
def test_issuer_is_exact(acme: Provider, env: Environment, settings: Settings, trailing: str) -> None:
    use(settings, acme.url + trailing)

    page = read(Client().post(START))

    assert (page.status, "We couldn't reach Acme" in page.words) == (HTTPStatus.SERVICE_UNAVAILABLE, True)


def test_token_signed_by_another_key_is_refused(acme: Provider, env: Environment) -> None:
    with identity_provider.running() as other:
        keys = provider_module.read_text(other.url, "/jwks", headers={}, seconds=60, allow_loopback=True)
    acme.instead["/jwks"] = lambda: flask.Response(keys, content_type="application/json")

    page = sign_in(acme, Client(), "7001")

    assert page.status == HTTPStatus.FORBIDDEN
    assert rejected() == [("", "wrong signature")]


def test_endpoint_on_another_host_is_never_called(acme: Provider, env: Environment) -> None:
    client = Client()
    url = leave(client)
    forget()
    with identity_provider.running() as other:
        found = {"issuer": acme.url, "authorization_endpoint": f"{acme.url}/oauth2/authorize"}
        found |= {"token_endpoint": f"{other.url}/oauth2/token", "jwks_uri": f"{other.url}/jwks"}
        acme.instead[DISCOVERY] = lambda: flask.jsonify(found)

        page = back(client, acme.code_for("7001", url))

        assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert other.asked == []


def test_state_works_once(acme: Provider, env: Environment) -> None:
    client = Client()
    url = acme.code_for("7001", leave(client))
    assert back(client, url).status == HTTPStatus.FOUND

    page = back(client, url)

    assert (page.status, "This sign-in has expired" in page.words) == (HTTPStatus.CONFLICT, True)


def test_state_works_once_also_in_an_outage(acme: Provider, env: Environment) -> None:
    client = Client()
    url = acme.code_for("7001", leave(client))
    acme.instead["/oauth2/token"] = lambda: flask.Response("busy", 503)
    assert back(client, url).status == HTTPStatus.SERVICE_UNAVAILABLE
    acme.instead.clear()

    assert back(client, url).status == HTTPStatus.CONFLICT
    assert not is_in(client)


def test_state_of_another_browser_is_refused(acme: Provider, env: Environment) -> None:
    here, elsewhere = Client(), Client()
    leave(here)
    url = acme.code_for("7001", leave(elsewhere))

    assert back(here, url).status == HTTPStatus.CONFLICT
    assert back(Client(), url).status == HTTPStatus.CONFLICT
    assert not is_in(here)


def test_code_works_once(acme: Provider, env: Environment) -> None:
    here, elsewhere = Client(), Client()
    used = acme.code_for("7001", leave(here))
    assert back(here, used).status == HTTPStatus.FOUND
    state = query(leave(elsewhere))["state"]

    page = back(elsewhere, f"{CALLBACK}?state={state}&code={query(used)['code']}")

    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert not is_in(elsewhere)


def test_answer_that_names_another_issuer_is_refused(acme: Provider, env: Environment) -> None:
    client = Client()
    url = acme.code_for("7001", leave(client))

    assert back(client, f"{url}&iss={quote('https://other.example.com')}").status == HTTPStatus.FORBIDDEN
    assert rejected() == [("", "another issuer")]


def test_who_cancels_there_is_not_signed_in(acme: Provider, env: Environment) -> None:
    client = Client()
    state = query(leave(client))["state"]

    page = back(client, f"{CALLBACK}?state={state}&error=access_denied")

    assert page.status == HTTPStatus.FORBIDDEN
    assert rejected() == [("", "no code")]


def test_visit_may_take_five_minutes(acme: Provider, env: Environment) -> None:
    client = Client()
    url = acme.code_for("7001", leave(client))
    session = client.session
    assert session.get_expiry_age() == 300
    session["single_sign_on"] |= {"started_at": int(time.time()) - 301}
    session.save()

    assert back(client, url).status == HTTPStatus.CONFLICT


def test_failed_sign_ins_of_one_address_are_limited(acme: Provider, env: Environment) -> None:
    client = Client()
    statuses = []
    for _attempt in range(21):
        state = query(leave(client))["state"]
        statuses.append(back(client, f"{CALLBACK}?state={state}&error=access_denied").status)

    assert statuses == [HTTPStatus.FORBIDDEN] * 20 + [HTTPStatus.TOO_MANY_REQUESTS]


def test_visits_of_one_address_are_limited(acme: Provider, env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.BOUNDS, "challenge", limits.Bound(2, timedelta(minutes=15)))
    pages = [read(Client().post(START)) for _visit in range(3)]

    assert [page.status for page in pages] == [HTTPStatus.OK, HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS]
    assert "Too many sign-ins were started from your network. Try again in 15 minutes." in pages[-1].words


def test_successes_and_outages_use_up_no_attempts(acme: Provider, env: Environment) -> None:
    for _attempt in range(12):
        assert sign_in(acme, Client(), "7001").status == HTTPStatus.FOUND
    forget()
    for _attempt in range(12):
        acme.instead["/jwks"] = lambda: flask.Response("busy", 503)
        assert sign_in(acme, Client(), "7001").status == HTTPStatus.SERVICE_UNAVAILABLE
    acme.instead.clear()

    assert sign_in(acme, Client(), "7001").status == HTTPStatus.FOUND


@pytest.mark.parametrize("path", [DISCOVERY, "/oauth2/token", "/jwks"])
@pytest.mark.parametrize("body", ["", "[]", '{"issuer": 1}', "<html>"])
def test_unreadable_answer_is_an_outage(acme: Provider, env: Environment, path: str, body: str) -> None:
    client = Client()
    url = acme.code_for("7001", leave(client))
    acme.instead[path] = lambda: flask.Response(body)
    forget()

    page = back(client, url)

    assert page.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.FORBIDDEN}
    assert not is_in(client)


def test_provider_that_hangs_is_given_up(acme: Provider, env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "SECONDS", 0.3)
    go_on = threading.Event()
    acme.instead[DISCOVERY] = lambda: go_on.wait() and None

    page = read(Client().post(START))

    go_on.set()
    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "We couldn't reach Acme" in page.words


def test_many_who_wait_for_a_provider_do_not_take_all_threads(
    acme: Provider, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "SLOT_SECONDS", 0.01)
    for _slot in range(provider_module.AT_ONCE):
        provider_module._slots.acquire()
    before = len(acme.asked)

    page = read(Client().post(START))

    for _slot in range(provider_module.AT_ONCE):
        provider_module._slots.release()
    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert len(acme.asked) == before


def test_who_comes_as_the_fifth_waits_for_a_moment(
    acme: Provider, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "SLOT_SECONDS", 600)
    for _slot in range(provider_module.AT_ONCE):
        provider_module._slots.acquire()
    releasing = threading.Timer(0.2, lambda: provider_module._slots.release(provider_module.AT_ONCE))

    releasing.start()
    leave(Client())

    releasing.join()


def test_endpoints_and_keys_are_kept_for_ten_minutes(
    acme: Provider, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.key_name = "one"
    before = len(acme.asked)
    for _time in range(3):
        assert sign_in(acme, Client(), "7001").status == HTTPStatus.FOUND
    asked = [path for path, _parameters, _authorization in acme.asked[before:]]
    assert (asked.count(DISCOVERY), asked.count("/jwks"), asked.count("/oauth2/token")) == (1, 1, 3)

    later = time.monotonic() + 601
    monkeypatch.setattr(provider_module.time, "monotonic", lambda: later)
    sign_in(acme, Client(), "7001")

    asked = [path for path, _parameters, _authorization in acme.asked[before:]]
    assert (asked.count(DISCOVERY), asked.count("/jwks")) == (2, 2)


def test_keys_are_read_again_for_a_new_one(acme: Provider, env: Environment) -> None:
    for name in ("one", "two"):
        acme.key_name = name
        assert sign_in(acme, Client(), "7001").status == HTTPStatus.FOUND


def test_answers_that_cannot_be_used_are_not_kept(acme: Provider, env: Environment) -> None:
    acme.instead[DISCOVERY] = lambda: flask.jsonify({"issuer": "http://localhost/"})
    assert Client().post(START).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    acme.instead.clear()

    assert sign_in(acme, Client(), "7001").status == HTTPStatus.FOUND


def test_no_secret_is_stored_or_logged(
    acme: Provider, env: Environment, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    canaries, client = Canaries(), Client()
    use(settings, acme.url, secret=canaries.long("client secret"))
    acme.claims = {"private": canaries.plain("ID token")}
    acme.beside = {name: canaries.plain(name) for name in ("access_token", "refresh_token")}
    urls = []
    for onward in ("/links/", LINKS):  # a sign-in, then a confirmation
        urls.append(acme.code_for("7001", leave(client, onward)))
        assert back(client, urls[-1]).headers["location"] == onward
    acme.claims["nonce"] = "another"
    other = Client()
    urls.append(acme.code_for("7001", leave(other)))
    assert back(other, urls[-1]).status == HTTPStatus.FORBIDDEN

    places = {name: text.encode() for name, text in tables().items()}
    places["log"] = "\n".join(
        f"{each.msg} {each.args} {each.exc_text}" for each in caplog.records if each.name.startswith("linkadmin")
    ).encode()
    assert canaries.found_in(places) == []
    verifiers = [asked["code_verifier"] for path, asked, _credentials in acme.asked if path == "/oauth2/token"][-2:]
    codes = [query(url)["code"] for url in urls]
    assert [name for name, data in places.items() for secret in verifiers + codes if secret.encode() in data] == []


# Confirm it's you


def confirm(acme: Provider, client: Client, sub: str, **claims: Any) -> Page:
    if claims:
        acme.knows(sub, **{"roles": ["team support"], "preferred_username": "cleo"} | claims)
    return sign_in(acme, client, sub, onward=LINKS)


def stale(client: Client) -> None:
    session = client.session
    session["confirmed_at"] = 0
    session.save()


def signed_in(acme: Provider) -> Client:
    client = Client()
    sign_in(acme, client, "7001")
    stale(client)
    return client


def test_step_up_goes_to_the_provider(acme: Provider, env: Environment) -> None:
    client = signed_in(acme)
    before = client.session.session_key
    assert client.get(LINKS)["Location"] == "/accounts/confirm/?next=%2Flinks%2Fnew%2F"
    page = read(client.get("/accounts/confirm/?next=/links/new/"))
    assert page.form_with("next").values["next"] == LINKS
    assert "Confirm with Acme" in page.words

    assert confirm(acme, client, "7001").headers["location"] == LINKS

    asked = acme.parameters("/oauth2/authorize")
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert client.get(LINKS).status_code == HTTPStatus.OK
    assert client.session.session_key != before
    assert AuditEvent.objects.get(action="session.confirmed").details == {"factor": "single sign-on"}


@pytest.mark.parametrize("auth_time", [..., None, 1, "now", True, 9_999_999_999], ids=str)
def test_step_up_without_a_recent_sign_in_there_is_refused(acme: Provider, env: Environment, auth_time: Any) -> None:
    client = signed_in(acme)

    acme.claims = {"auth_time": auth_time}

    page = confirm(acme, client, "7001")

    assert page.status == HTTPStatus.FORBIDDEN
    assert client.get(LINKS).status_code == HTTPStatus.FOUND
    assert rejected() == [(str(User.objects.get(username="cleo").pk), "no recent sign-in")]


def test_step_up_of_another_person_is_refused(acme: Provider, env: Environment) -> None:
    client = signed_in(acme)
    acme.knows("7002", roles=["team support"])

    page = sign_in(acme, client, "7002", onward=LINKS)

    assert page.status == HTTPStatus.FORBIDDEN
    assert not Identity.objects.filter(subject="7002").exists()
    assert client.get(LINKS).status_code == HTTPStatus.FOUND


@pytest.mark.parametrize(("roles", "words"), [(["leads"], "Your role has changed"), ([], "gives you no role")])
def test_step_up_takes_roles_too(acme: Provider, env: Environment, roles: list[str], words: str) -> None:
    client = signed_in(acme)

    page = confirm(acme, client, "7001", roles=roles)

    assert (page.status, words in page.words) == (HTTPStatus.FORBIDDEN, True)
    assert not is_in(client)


def test_password_does_not_confirm_a_session_of_single_sign_on(acme: Provider, env: Environment) -> None:
    ana = linked(env, "ana", "7004")
    acme.knows("7004", roles=["team support"])
    client = Client()
    sign_in(acme, client, "7004")
    stale(client)

    page = read(client.post("/accounts/confirm/", {"password": PASSWORD}))

    assert "Confirm with Acme" in page.words
    assert client.get(LINKS).status_code == HTTPStatus.FOUND
    assert ana.has_usable_password()


def test_sign_in_with_an_old_session_there_confirms_nothing(acme: Provider, env: Environment) -> None:
    acme.claims = {"auth_time": 1}
    client = Client()

    sign_in(acme, client, "7001")

    assert is_in(client)
    assert client.get(LINKS)["Location"] == "/accounts/confirm/?next=%2Flinks%2Fnew%2F"


def test_recent_sign_in_there_confirms(acme: Provider, env: Environment) -> None:
    client = Client()

    sign_in(acme, client, "7001")

    assert client.get(LINKS).status_code == HTTPStatus.OK


# Whose account it is


def test_administrator_links_an_account(acme: Provider, env: Environment) -> None:
    ana_before = env.client("ana")
    url = f"/staff/{env.people['ana'].pk}/identity/"
    assert env.send(url, "adm", subject="7001").headers["location"] == f"/staff/{env.people['ana'].pk}/"

    assert not is_in(ana_before)
    sign_in(acme, Client(), "7001")
    assert Identity.objects.get(subject="7001").user == env.people["ana"]
    linked_event = AuditEvent.objects.get(action="staff.identity_linked")
    assert (linked_event.actor, linked_event.object_id) == ("adm", str(env.people["ana"].pk))
    person = env.open(f"/staff/{env.people['ana'].pk}/", "adm")
    assert "Taken from single sign-on, whenever they sign in." in person.words
    assert "Create invitation" not in person.words

    env.send(url, "adm", subject="")

    assert not Identity.objects.exists()
    assert AuditEvent.objects.filter(action="staff.identity_unlinked").count() == 1


def test_one_identity_has_one_account(acme: Provider, env: Environment) -> None:
    linked(env, "ana", "7001")

    page = env.send(f"/staff/{env.people['ben'].pk}/identity/", "adm", subject="7001")

    assert (page.status, "This ID belongs to another account." in page.words) == (422, True)


def test_administrator_who_links_a_colleague_to_themselves_sees_no_customers(acme: Provider, env: Environment) -> None:
    acme.knows("7009", roles=["admins"])
    env.send(f"/staff/{env.people['ana'].pk}/identity/", "adm", subject="7009")
    client = Client()

    sign_in(acme, client, "7009")

    assert is_in(client)
    assert client.get("/links/").status_code == HTTPStatus.FORBIDDEN


def test_single_sign_on_opens_no_account_that_waits_for_approval(acme: Provider, env: Environment) -> None:
    env.post("/staff/new/", {"username": "nora", "name": "Nora", "roles": "support"}, "adm")
    env.send(f"/staff/{User.objects.get(username='nora').pk}/identity/", "adm", subject="7001")
    client = Client()

    sign_in(acme, client, "7001")

    assert not is_in(client)


def test_linked_person_has_no_other_way_in(acme: Provider, env: Environment) -> None:
    ana = linked(env, "ana", "7001")
    client = Client()

    page = read(client.post(SIGN_IN, {"login": "ana", "password": PASSWORD}))

    assert "Your account uses single sign-on. Sign in with Acme." in page.words
    assert not is_in(client)
    assert rejected() == [(str(ana.pk), "single sign-on only")]
    wrong = read(client.post(SIGN_IN, {"login": "ana", "password": "not that one, though"}))
    assert "single sign-on" not in wrong.words.replace("Sign in with Acme", "")


# Without passwords, and the way in from the host


def test_passwords_can_be_off(acme: Provider, env: Environment, settings: Settings) -> None:
    settings.PASSWORD_SIGN_IN = False
    client = Client()

    page = read(client.get(SIGN_IN))

    assert "Sign in with Acme" in page.words
    assert "Password" not in page.words
    assert "passkey" not in page.words
    client.post(SIGN_IN, {"login": "ana", "password": PASSWORD})
    assert not is_in(client)
    assert rejected() == [(str(env.people["ana"].pk), "passwords off")]
    User.objects.create(username="dan", roles="support", password="!")
    staff = env.open("/staff/", "adm").words
    assert "Invite a colleague" not in staff
    assert "No password yet" not in staff


def code_from_host(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    call_command("recover_access", name)
    said = capsys.readouterr().out.splitlines()
    assert said[-2] == "To sign in once within 15 minutes, open /accounts/recover/ and enter:"
    return said[-1]


def test_host_lets_somebody_in_while_the_provider_is_down(
    env: Environment, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    use(settings, "http://localhost:9")
    settings.PASSWORD_SIGN_IN, settings.SECOND_FACTOR_REQUIRED = False, True
    assert "recover_access" in read(Client().post(START)).words
    code = code_from_host("adm", capsys)
    client = Client()

    page = read(client.post("/accounts/recover/", {"code": f" {code}\n"}))

    assert page.headers["location"] == "/"
    assert client.get(f"/staff/{env.people['ana'].pk}/").status_code == HTTPStatus.OK
    assert AuditEvent.objects.get(action="session.started", actor="adm").details == {"factor": "access recovered"}
    again = Client()
    assert read(again.post("/accounts/recover/", {"code": code})).status == 422
    assert not is_in(again)


@pytest.mark.parametrize("why", ["wrong", "late", "newer", "inactive"])
def test_code_from_the_host_that_cannot_be_used(
    acme: Provider,
    env: Environment,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    settings.PASSWORD_SIGN_IN = False
    code = code_from_host("adm", capsys)
    if why == "wrong":
        code = code[:-1] + ("a" if code[-1] != "a" else "b")
    elif why == "late":
        monkeypatch.setattr("linkadmin.accounts.single_sign_on.recovery.MINUTES", -1)
    elif why == "newer":
        code_from_host("adm", capsys)
    else:
        User.objects.filter(username="adm").update(is_active=False)
    client = Client()

    page = read(client.post("/accounts/recover/", {"code": code}))

    assert (page.status, "This code can't be used." in page.words) == (422, True)
    assert code not in page.source
    assert not is_in(client)


def test_without_an_identity_provider_there_is_no_trace_of_it(
    env: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "single" not in read(Client().get(SIGN_IN)).source
    assert Client().post(START).status_code == Client().get(CALLBACK).status_code == HTTPStatus.NOT_FOUND
    assert Client().get("/accounts/recover/").status_code == HTTPStatus.NOT_FOUND
    call_command("recover_access", "adm")
    assert "/accounts/recover/" not in capsys.readouterr().out
