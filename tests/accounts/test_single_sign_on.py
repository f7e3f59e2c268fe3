"""Single sign-on against a local identity provider: who gets in, as whom, and what is refused."""

import base64
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, quote_plus

import flask
import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from pytest_django import Settings

from linkadmin.accounts import limits
from linkadmin.accounts.models import ApprovalRequest, Identity, Invitation, User
from linkadmin.accounts.single_sign_on import people
from linkadmin.accounts.single_sign_on import provider as provider_module
from linkadmin.audit.models import AuditEvent
from tests import identity_provider
from tests.canary.canaries import Canaries
from tests.canary.dump import tables
from tests.environment import PASSWORD, Environment
from tests.identity_provider import CALLBACK, SECRET, SIGN_IN, START, Provider, back, forget, leave, query, sign_in, use
from tests.markup import Page, read
from tests.second_factors import add_app

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


def test_lost_role_is_taken_from_the_account(acme: Provider, env: Environment) -> None:
    """So that nothing else brings it back, such as a code from the host."""
    sign_in(acme, Client(), "7001")
    cleo = User.objects.get(username="cleo")
    acme.knows("7001", roles=[])
    sign_in(acme, Client(), "7001")
    sign_in(acme, Client(), "7001")

    cleo.refresh_from_db()
    assert cleo.roles == ""
    assert "No role" in env.open("/staff/", "adm").words
    page = env.open(f"/staff/{cleo.pk}/", "adm")
    assert "No role" in page.words
    assert env.post(f"/staff/{cleo.pk}/", {"username": "cleo", "is_active": "on"}, "adm").status == HTTPStatus.SEE_OTHER
    event = AuditEvent.objects.filter(action="staff.updated", object_id=str(cleo.pk)).earliest("seq")
    assert event.details == {"fields": "roles", "roles": "", "reason": "single sign-on"}
    with pytest.raises(CommandError, match="no role at the identity provider"):
        call_command("recover_access", "cleo")

    acme.knows("7001", roles=["leads"])
    assert enters(acme, "7001")
    assert User.objects.get(username="cleo").roles == "manager"


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


@pytest.fixture
def known(acme: Provider, env: Environment) -> None:
    """Two administrators whom the identity provider knows."""
    env.people["eve"] = User.objects.create_user(username="eve", password=PASSWORD, roles="administrator", name="Eve")
    for name, sub in (("adm", "9001"), ("eve", "9002")):
        linked(env, name, sub)


def link(env: Environment, name: str, sub: str, by: str = "adm") -> Page:
    return env.send(f"/staff/{env.people[name].pk}/identity/", by, subject=sub)


def decide(env: Environment, decision: str, by: str) -> Page:
    return env.post(f"/staff/approvals/{ApprovalRequest.objects.latest('asked_at').pk}/", {"decision": decision}, by)


def enters(acme: Provider, sub: str) -> bool:
    client = Client()
    sign_in(acme, client, sub)
    return is_in(client)


def gets_in(name: str) -> bool:
    client = Client()
    client.post(SIGN_IN, {"login": name, "password": PASSWORD})
    return is_in(client)


@pytest.mark.usefixtures("known")
def test_linked_account_opens_once_a_second_person_approves_it(acme: Provider, env: Environment) -> None:
    ana, ana_before = env.people["ana"], env.client("ana")
    add_app(ana_before)

    assert link(env, "ana", "7001").headers["location"] == f"/staff/{ana.pk}/"

    linked_event = AuditEvent.objects.get(action="staff.identity_linked")
    assert (linked_event.actor, linked_event.object_id) == ("adm", str(ana.pk))
    assert not is_in(ana_before)
    assert not enters(acme, "7001")
    assert not Authenticator.objects.filter(user=ana).exists()
    assert "Another administrator has to approve it." in env.open(f"/staff/{ana.pk}/", "adm").words
    page = env.open(f"/staff/{ana.pk}/", "eve").words.translate(str.maketrans("", "", "\u2068\u2069"))
    assert "linked this account to the ID 7001 of Acme." in page
    assert "check in Acme that this ID is theirs" in page

    assert decide(env, "approved", "adm").status == HTTPStatus.FORBIDDEN
    decide(env, "approved", "eve")

    assert enters(acme, "7001")
    assert Identity.objects.get(subject="7001").user == ana
    person = env.open(f"/staff/{ana.pk}/", "adm")
    assert "Taken from single sign-on, whenever they sign in." in person.words
    assert "Create invitation" not in person.words


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("decision", "by"), [("rejected", "eve"), ("canceled", "adm")])
def test_link_that_was_not_approved_is_void(acme: Provider, env: Environment, decision: str, by: str) -> None:
    link(env, "ana", "7001")

    decide(env, decision, by)

    assert not Identity.objects.filter(subject="7001").exists()
    assert not User.objects.get(username="ana").is_active


@pytest.mark.usefixtures("known")
def test_request_for_a_link_outlives_the_identity_provider(
    acme: Provider, env: Environment, settings: Settings
) -> None:
    link(env, "ana", "7001")
    settings.IDENTITY_PROVIDER = None

    assert "Reject request" in env.open(f"/staff/{env.people['ana'].pk}/", "eve").words


@pytest.mark.usefixtures("known")
def test_unlinked_account_has_no_old_way_in(acme: Provider, env: Environment) -> None:
    linked(env, "ana", "7001")

    assert link(env, "ana", "").status == HTTPStatus.SEE_OTHER

    assert not Identity.objects.filter(user=env.people["ana"]).exists()
    assert AuditEvent.objects.filter(action="staff.identity_unlinked").count() == 1
    assert not gets_in("ana")
    assert "Create invitation" in env.open(f"/staff/{env.people['ana'].pk}/", "adm").words


def test_one_identity_has_one_account(acme: Provider, env: Environment) -> None:
    linked(env, "ana", "7001")

    page = link(env, "ben", "7001")

    assert (page.status, "This ID belongs to another account." in page.words) == (422, True)


@pytest.mark.usefixtures("known")
def test_identity_that_somebody_else_just_got_is_taken(
    acme: Provider, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(env, "ana", "7001")
    monkeypatch.setattr(people, "is_taken", lambda *_args, **_values: False)

    page = link(env, "ben", "7001")

    assert (page.status, "This ID belongs to another account." in page.words) == (422, True)
    assert User.objects.get(username="ben").is_active
    assert not ApprovalRequest.objects.exists()


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("subject", ["", "7001"])
def test_nobody_links_or_unlinks_themselves(acme: Provider, env: Environment, subject: str) -> None:
    url = f"/staff/{env.people['adm'].pk}/identity/"

    assert env.post(url, {"subject": subject}, "adm").status == HTTPStatus.FORBIDDEN

    assert url not in env.open(f"/staff/{env.people['adm'].pk}/", "adm").source
    assert Identity.objects.get(user=env.people["adm"]).subject == "9001"


def ask_for_more(env: Environment, by: str) -> None:
    typed = {"username": "ana", "name": "Ana", "roles": ["support", "manager"], "is_active": "on"}
    env.post(f"/staff/{env.people['ana'].pk}/", typed, by)


def second_account(acme: Provider, env: Environment) -> str:
    """Of the administrator with a password, who signs in at the identity provider as well."""
    acme.knows("9009", roles=["admins"], preferred_username="adm2")
    assert enters(acme, "9009")
    env.people["adm2"] = User.objects.get(username="adm2")
    return "adm2"


@pytest.mark.parametrize("own_first", [True, False])
def test_administrator_with_two_accounts_approves_nothing_alone(
    acme: Provider, env: Environment, own_first: bool
) -> None:
    accounts = ["adm", second_account(acme, env)]
    by, other = accounts if own_first else accounts[::-1]
    ask_for_more(env, by)

    assert decide(env, "approved", other).status == HTTPStatus.FORBIDDEN

    assert User.objects.get(username="ana").roles == "support"
    assert "On the server, run: manage.py approve" in env.open(f"/staff/{env.people['ana'].pk}/", other).words


def test_link_of_the_other_account_is_no_second_person_either(acme: Provider, env: Environment) -> None:
    other = second_account(acme, env)
    choose = re.findall(
        r"/accounts/join/#([\w-]{43})<",
        env.post("/staff/new/", {"username": "nora", "name": "Nora", "roles": "support"}, "adm").source,
    )[0]
    Client().post("/accounts/join/", {"code": choose, "password": "another horse, another battery"})

    assert decide(env, "approved", other).status == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("known")
def test_two_people_of_the_identity_provider_approve(acme: Provider, env: Environment) -> None:
    ask_for_more(env, "adm")

    decide(env, "approved", "eve")

    assert User.objects.get(username="ana").roles == "manager,support"


@pytest.mark.usefixtures("known")
def test_administrator_who_links_a_colleague_to_themselves_gets_nowhere(acme: Provider, env: Environment) -> None:
    acme.knows("7009", roles=["admins"])
    link(env, "ana", "7009")

    assert decide(env, "approved", "adm").status == HTTPStatus.FORBIDDEN
    assert not enters(acme, "7009")


@pytest.mark.usefixtures("known")
def test_single_sign_on_opens_no_account_that_waits_for_approval(acme: Provider, env: Environment) -> None:
    env.post("/staff/new/", {"username": "nora", "name": "Nora", "roles": "support"}, "adm")
    env.people["nora"] = User.objects.get(username="nora")
    link(env, "nora", "7001")

    assert not enters(acme, "7001")


@pytest.mark.parametrize("path", ["invitation/", "invitation/mail/", "factors/reset/"])
def test_people_with_single_sign_on_get_no_link_to_a_password(acme: Provider, env: Environment, path: str) -> None:
    ana = linked(env, "ana", "7001")

    assert env.post(f"/staff/{ana.pk}/{path}", {"code": "x"}, "adm").status == HTTPStatus.FORBIDDEN
    assert not Invitation.objects.exists()


def test_another_sign_in_that_is_first_decides_whose_account_it_is(
    acme: Provider, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(acme, Client(), "7001")
    known, answers = people._known, [None]
    monkeypatch.setattr(people, "_known", lambda sub: answers.pop() if answers else known(sub))

    assert sign_in(acme, Client(), "7001").status == HTTPStatus.FOUND
    assert User.objects.filter(identity__subject="7001").count() == 1


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_first_sign_ins_at_once_make_one_account(acme: Provider, env: Environment) -> None:
    browsers = [Client() for _number in range(3)]
    urls = [acme.code_for("7001", leave(client)) for client in browsers]

    def come_back(number: int) -> int:
        try:
            return back(browsers[number], urls[number]).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as at_once:
        assert list(at_once.map(come_back, range(3))) == [HTTPStatus.FOUND] * 3
    assert User.objects.filter(identity__subject="7001").count() == 1


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("known")
def test_one_identity_linked_twice_at_once_has_one_account(acme: Provider, env: Environment) -> None:
    for name in ("adm", "eve"):
        env.client(name)

    def press(by: str) -> int:
        try:
            name = "ana" if by == "adm" else "ben"
            return env.post(f"/staff/{env.people[name].pk}/identity/", {"subject": "7001"}, by).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as at_once:
        assert sorted(at_once.map(press, ["adm", "eve"])) == [HTTPStatus.SEE_OTHER, HTTPStatus.UNPROCESSABLE_ENTITY]
    assert Identity.objects.filter(subject="7001").count() == 1


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
    assert env.client("adm").get("/staff/new/").status_code == HTTPStatus.NOT_FOUND
    assert client.get("/accounts/join/")["Location"] == SIGN_IN
    assert client.post("/accounts/join/", {"code": "x"})["Location"] == SIGN_IN


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
