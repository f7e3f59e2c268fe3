"""Belvo: the three calls that sign in at a bank: register, update credentials, resume with a code."""

import base64
import io
import re
import secrets
from dataclasses import replace
from functools import partial
from typing import Any

import segno

from linkadmin.simulator.outcomes import Ask, ChallengeKind, Outcome, OutcomeHandlers, Refuse, Succeed, play
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Later, Refused, Reply, Request, as_dict, json_reply

from . import bodies
from .bodies import Body, error, refusal, refused
from .consents import authorise, grant
from .guide import (
    DOWN,
    EXPIRED_CREDENTIALS,
    LOCKED,
    MISSING,
    REFUSALS_UNTIL_INVALID,
    RIGHT_CODE,
    SESSION_EXPIRED,
    VALIDATION,
    WRONG_CODES_UNTIL_LOCKED,
    code_outcome,
    login_outcome,
)
from .institutions import Institution, asks_for_code
from .messages import loaded
from .records import BelvoLink, LoginAttempt

HIDDEN = {"refusals", "refreshed_at", "silent"}
PERSONAL_DATA = "[^A-Za-z0-9_-]"  # an external ID with any of these becomes null, without an error

CHALLENGES = {
    ChallengeKind.NUMERIC: ("numeric", "Escribe este número en la aplicación de tu banco y obtén tu token"),
    ChallengeKind.QR: ("qr", "Escanea este código QR con la aplicación de tu banco y escribe el token que te muestra"),
    ChallengeKind.TEXT: ("text", "Responde la pregunta de tu banco"),
    ChallengeKind.APPROVE: ("", "Aprueba el acceso en la aplicación de tu banco y continúa"),
}


def shown(link: BelvoLink) -> dict[str, Any]:
    return as_dict(link, HIDDEN)


def find_link(store: Store, request: Request) -> BelvoLink:
    return bodies.found(store.belvo_links.get(request.args["id"]))


def register(store: Store, request: Request) -> Later:
    body = bodies.read(request, bodies.REGISTER)
    institution = _institution(store, body["institution"])
    link = _new_link(store, institution, body)
    _refuse_twin(store, link)

    def act() -> Reply:
        with store.lock:
            _refuse_twin(store, link)
            store.belvo_links[link.id] = link
            grant(store, link, body["username"])
            _succeeded(store, link, registering=True)
            return json_reply(201, shown(link))

    def ask(challenge: Ask) -> Reply:
        with store.lock:
            _refuse_twin(store, link)
            link.status = "unconfirmed"
            store.belvo_links[link.id] = link
            grant(store, link)
            as_array = True if challenge.as_array is None else challenge.as_array
            return _challenge(store.open_attempt(link, challenge, as_array=as_array, registering=True))

    return partial(play, _login_at(institution, body, updating=False), store.wait, OutcomeHandlers(act, refusal, ask))


def update(store: Store, request: Request) -> Later:
    link = find_link(store, request)
    body = bodies.read(request, bodies.UPDATE)
    bodies.check_pair(body)
    if not body.keys() & {"password", "certificate"}:
        raise refused(400, *bodies.REQUIRED, field="password")
    institution = store.institutions[link.institution]
    _refuse_unrepairable(link, institution)

    def act() -> Reply:
        with store.lock:
            find_link(store, request)
            _succeeded(store, link, registering=False)
            return json_reply(200, shown(link))

    def ask(challenge: Ask) -> Reply:
        with store.lock:
            find_link(store, request)
            link.status = "token_required"
            return _challenge(store.open_attempt(link, challenge, as_array=bool(challenge.as_array), registering=False))

    def refuse(reason: Refuse) -> Reply:
        if reason.wrong_password:
            _count_refusal(store, link)
        return refusal(reason)

    return partial(play, _login_at(institution, body, updating=True), store.wait, OutcomeHandlers(act, refuse, ask))


def resume(store: Store, request: Request) -> Later:
    body = bodies.read(request, bodies.RESUME)
    attempt = _attempt(store, body)

    def act() -> Reply:
        with store.lock:
            done = _attempt(store, body)
            link = store.belvo_links[done.link_id]
            if done.registering:
                authorise(store, link)
            _succeeded(store, link, registering=done.registering)
            return json_reply(201 if done.registering else 200, shown(link))

    challenge = attempt.ask
    outcome = Succeed() if challenge.kind is ChallengeKind.APPROVE else code_outcome(body.get("token", ""))

    def ask_again(challenge: Ask) -> Reply:
        with store.lock:
            old = _attempt(store, body)
            link = store.belvo_links[old.link_id]
            wrong_codes = old.wrong_codes + (outcome is None)
            if wrong_codes >= WRONG_CODES_UNTIL_LOCKED:
                store.drop_attempts(link.id)
                return refusal(LOCKED)
            new = store.open_attempt(link, challenge, as_array=old.as_array, registering=old.registering)
            new.wrong_codes = wrong_codes
            return _challenge(new)

    return partial(play, _next_in(challenge, outcome), store.wait, OutcomeHandlers(act, refusal, ask_again))


def request_code(store: Store, link: BelvoLink) -> Reply:
    """Sign in with the stored password, as the widget does for a link that only lacks a code."""
    return _challenge(store.open_attempt(link, Ask(), as_array=True, registering=False))


def _next_in(challenge: Ask, outcome: Outcome | None) -> Outcome:
    """Return the next outcome of a sign-in with one step or several; `outcome` None is a wrong answer."""
    if outcome is None:
        return replace(challenge.again or challenge, delay=0)
    if isinstance(outcome, Succeed) and challenge.then:
        return replace(challenge.then, delay=outcome.delay)
    return outcome


def _institution(store: Store, name: str) -> Institution:
    if name not in store.institutions:
        raise refused(400, "does_not_exist", f"Object with name={name} does not exist.", field="institution")
    return store.institutions[name]


def _new_link(store: Store, institution: Institution, body: Body) -> BelvoLink:
    bodies.check_pair(body)
    bodies.check_resources(institution, body)
    if bodies.lacks(institution, body, {"password"}):
        raise refused(400, *bodies.REQUIRED, field="password")
    single = body.get("access_mode") == "single"
    storage = body.get("credentials_storage", "365d" if single else "store")
    if not single and storage != "store":
        raise refused(400, "invalid_credentials_storage", "Recurrent links must store the credentials")
    if storage == "nostore" and not body.get("fetch_resources"):
        message = "Single links without stored credentials must fetch resources"
        raise refused(400, "invalid_fetch_resources", message)
    external_id = body.get("external_id")
    return BelvoLink(
        institution=institution["name"],
        access_mode="single" if single else "recurrent",
        created_at=store.now(),
        external_id=None if external_id and re.search(PERSONAL_DATA, external_id) else external_id,
        institution_user_id=store.institution_user_id(institution["name"], body["username"]),
        refresh_rate=None if single else "7d",
        credentials_storage=storage,
        fetch_resources=body.get("fetch_resources", []),
        stale_in=body.get("stale_in", "365d"),
    )


def _refuse_twin(store: Store, link: BelvoLink) -> None:
    person = link.institution_user_id or ""
    if store.twin(person):
        raise refused(400, "duplicated", "Link already exists", institution_user_id=person)


def _refuse_unrepairable(link: BelvoLink, institution: Institution) -> None:
    if institution["integration_type"] == "openfinance":
        message = "The resource you are trying to access is not supported by this institution"
        raise refused(400, "unsupported_operation", message)
    if link.credentials_storage == "nostore":
        raise Refused(refusal(EXPIRED_CREDENTIALS))


def _login_at(institution: Institution, body: Body, *, updating: bool) -> Outcome:
    typed = {name: value for name, value in body.items() if isinstance(value, str)}
    outcome = login_outcome(typed, updating=updating)
    if outcome != Succeed():
        return _or_code(outcome, institution, body, updating=updating)
    if institution["status"] == "down":
        return DOWN
    needed = {"password2"} if updating else {"username2", "username3", "password2", "username_type", "certificate"}
    if bodies.lacks(institution, body, needed):
        return MISSING
    if bodies.misfits(institution, typed):
        return VALIDATION
    return _or_code(outcome, institution, body, updating=updating)


def _or_code(outcome: Outcome, institution: Institution, body: Body, *, updating: bool) -> Outcome:
    if isinstance(outcome, Ask) and body.get("token") == RIGHT_CODE:
        return Succeed(outcome.delay)
    needs_code = updating and asks_for_code(institution) and body.get("token") != RIGHT_CODE
    return Ask(delay=outcome.delay) if isinstance(outcome, Succeed) and needs_code else outcome


def _succeeded(store: Store, link: BelvoLink, *, registering: bool) -> None:
    link.status = "valid"
    link.last_accessed_at, link.silent = store.now(), False
    link.refusals = 0
    if registering or link.access_mode == "recurrent":  # data is fetched immediately
        store.tell_belvo(*loaded(link, store.bank(link)))
    store.drop_attempts(link.id)


def _count_refusal(store: Store, link: BelvoLink) -> None:
    with store.lock:
        link.refusals += 1
        if link.refusals >= REFUSALS_UNTIL_INVALID:
            link.status = "invalid"


def _attempt(store: Store, body: Body) -> LoginAttempt:
    attempt = store.attempts.get(body["session"])
    if not attempt or attempt.expires_at <= store.clock():
        raise Refused(refusal(SESSION_EXPIRED))
    if attempt.link_id != body["link"]:
        message = f"Object with id={body['link']} does not exist."
        raise refused(400, "does_not_exist", message, field="link")
    return attempt


def _challenge(attempt: LoginAttempt) -> Reply:
    # A list today, one object in the older format.
    challenge = attempt.ask
    payload: dict[str, Any] = {
        **error("token_required", "A MFA token is required by the institution to login"),
        "session": attempt.session,
        "expiry": str(challenge.lifetime) if attempt.as_array else challenge.lifetime,
        "link": attempt.link_id,
    }
    kind, instructions = CHALLENGES.get(challenge.kind, ("", ""))
    if said := challenge.instructions or instructions:
        payload["token_generation_data"] = {
            "instructions": said,
            "type": kind,
            "value": _value(challenge),
            "expects_user_input": challenge.kind is not ChallengeKind.APPROVE,
        }
    return json_reply(428, [payload] if attempt.as_array else payload)


def _value(challenge: Ask) -> str:
    number = f"{secrets.randbelow(1_000_000):06}"
    match challenge.kind:
        case ChallengeKind.NUMERIC:
            return number
        case ChallengeKind.QR:
            picture = io.BytesIO()
            segno.make_qr(f"SIMULATED-BANK:{number}").save(picture, kind="png", scale=5)
            return base64.b64encode(picture.getvalue()).decode()
        case ChallengeKind.TEXT:
            return challenge.question or "¿Qué código te dio el asesor de tu sucursal?"
        case _:
            return ""
