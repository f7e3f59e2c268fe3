"""Belvo: the three calls that log in at a bank: register, update credentials, resume with a code."""

import base64
import io
import re
import secrets
from dataclasses import replace
from typing import Any

import segno

from . import belvo_bodies as bodies
from .belvo_bodies import Body, error, refusal, required
from .belvo_consents import authorise, grant
from .belvo_drill import (
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
from .belvo_messages import loaded
from .drill import Ask, Effects, Kind, Outcome, Refuse, Succeed, play
from .institutions import Institution, asks_for_code
from .records import BelvoLink, LoginAttempt, as_dict
from .state import World
from .wire import Answer, Refused, Request, json_answer

HIDDEN = {"refusals", "refreshed_at", "silent"}
PERSONAL_DATA = "[^A-Za-z0-9_-]"  # an external id with any of these is kept as null, without a word

CHALLENGES = {
    Kind.NUMERIC: ("numeric", "Escribe este número en la aplicación de tu banco y obtén tu token"),
    Kind.QR: ("qr", "Escanea este código QR con la aplicación de tu banco y escribe el token que te muestra"),
    Kind.TEXT: ("text", "Responde la pregunta de tu banco"),
    Kind.APPROVE: ("", "Aprueba el acceso en la aplicación de tu banco y continúa"),
}


def shown(link: BelvoLink) -> dict[str, Any]:
    """The link as the API shows it."""
    return as_dict(link, HIDDEN)


def find_link(world: World, request: Request) -> BelvoLink:
    """Find the link that the path names. Raises Refused."""
    link = world.belvo_links.get(request.args["id"])
    if not link:
        raise Refused(json_answer(404, [error("not_found", "Not found.")]))
    return link


def register(world: World, request: Request) -> Answer:
    body = bodies.read(request, bodies.REGISTER)
    institution = _institution(world, body["institution"])
    link = _new_link(world, institution, body)
    _refuse_twin(world, link)

    def act() -> Answer:
        with world.lock:
            _refuse_twin(world, link)
            world.belvo_links[link.id] = link
            grant(world, link, body["username"])
            _succeeded(world, link, registering=True)
            return json_answer(201, shown(link))

    def ask(wish: Ask) -> Answer:
        with world.lock:
            _refuse_twin(world, link)
            link.status = "unconfirmed"
            world.belvo_links[link.id] = link
            grant(world, link)
            world.save()
            as_array = True if wish.as_array is None else wish.as_array
            return _challenge(world.open_attempt(link, wish, as_array=as_array, registering=True))

    return play(_login_at(institution, body, updating=False), world.wait, Effects(act, refusal, ask))


def update(world: World, request: Request) -> Answer:
    with world.lock:
        link = find_link(world, request)
    body = bodies.read(request, bodies.UPDATE)
    bodies.check_pair(body)
    if not body.keys() & {"password", "certificate"}:
        raise bodies.bad_request(required("password"))
    institution = world.institutions[link.institution]
    _refuse_unrepairable(link, institution)

    def act() -> Answer:
        with world.lock:
            find_link(world, request)
            _succeeded(world, link, registering=False)
            return json_answer(200, shown(link))

    def ask(wish: Ask) -> Answer:
        with world.lock:
            find_link(world, request)
            link.status = "token_required"
            world.save()
            return _challenge(world.open_attempt(link, wish, as_array=bool(wish.as_array), registering=False))

    def refuse(reason: Refuse) -> Answer:
        if reason.wrong_password:
            _count_refusal(world, link)
        return refusal(reason)

    return play(_login_at(institution, body, updating=True), world.wait, Effects(act, refuse, ask))


def resume(world: World, request: Request) -> Answer:
    body = bodies.read(request, bodies.RESUME)
    with world.lock:
        attempt = _attempt(world, body)

    def act() -> Answer:
        with world.lock:
            done = _attempt(world, body)
            link = world.belvo_links[done.link_id]
            if done.registering:
                authorise(world, link)
            _succeeded(world, link, registering=done.registering)
            return json_answer(201 if done.registering else 200, shown(link))

    asked = attempt.ask
    outcome = Succeed() if asked.kind is Kind.APPROVE else code_outcome(body.get("token", ""))

    def ask_again(wish: Ask) -> Answer:
        with world.lock:
            old = _attempt(world, body)
            link = world.belvo_links[old.link_id]
            wrong_codes = old.wrong_codes + (outcome is None)
            if wrong_codes >= WRONG_CODES_UNTIL_LOCKED:
                world.drop_attempts(link.id)
                return refusal(LOCKED)
            new = world.open_attempt(link, wish, as_array=old.as_array, registering=old.registering)
            new.wrong_codes = wrong_codes
            return _challenge(new)

    return play(_next_in(asked, outcome), world.wait, Effects(act, refusal, ask_again))


def _next_in(asked: Ask, outcome: Outcome | None) -> Outcome:
    """Say what an answer leads to in a login of one step or several; None is a wrong answer."""
    if outcome is None:
        return replace(asked.again or asked, delay=0)
    if isinstance(outcome, Succeed) and asked.then:
        return replace(asked.then, delay=outcome.delay)
    return outcome


def _institution(world: World, name: str) -> Institution:
    if name not in world.institutions:
        raise bodies.bad_request(
            error("does_not_exist", f"Object with name={name} does not exist.", field="institution")
        )
    return world.institutions[name]


def _new_link(world: World, institution: Institution, body: Body) -> BelvoLink:
    bodies.check_pair(body)
    bodies.check_resources(institution, body.get("fetch_resources", []))
    if bodies.lacks(institution, body, {"password"}):
        raise bodies.bad_request(required("password"))
    single = body.get("access_mode") == "single"
    storage = body.get("credentials_storage", "365d" if single else "store")
    if not single and storage != "store":
        raise bodies.bad_request(error("invalid_credentials_storage", "Recurrent links must store the credentials"))
    if storage == "nostore" and not body.get("fetch_resources"):
        message = "Single links without stored credentials must fetch resources"
        raise bodies.bad_request(error("invalid_fetch_resources", message))
    external_id = body.get("external_id")
    return BelvoLink(
        institution=institution["name"],
        access_mode="single" if single else "recurrent",
        created_at=world.now(),
        external_id=None if external_id and re.search(PERSONAL_DATA, external_id) else external_id,
        institution_user_id=world.institution_user_id(institution["name"], body["username"]),
        refresh_rate=None if single else "7d",
        credentials_storage=storage,
        fetch_resources=body.get("fetch_resources", []),
        stale_in=body.get("stale_in", "365d"),
    )


def _refuse_twin(world: World, link: BelvoLink) -> None:
    person = link.institution_user_id or ""
    with world.lock:
        if world.twin(person):
            raise bodies.bad_request(error("duplicated", "Link already exists", institution_user_id=person))


def _refuse_unrepairable(link: BelvoLink, institution: Institution) -> None:
    if institution["integration_type"] == "openfinance":
        message = "The resource you are trying to access is not supported by this institution"
        raise bodies.bad_request(error("unsupported_operation", message))
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


def _succeeded(world: World, link: BelvoLink, *, registering: bool) -> None:
    link.status = "valid"
    link.last_accessed_at, link.silent = world.now(), False
    link.refusals = 0
    if registering or link.access_mode == "recurrent":  # data is fetched at once
        world.tell_belvo(*loaded(link, world.bank(link)))
    world.drop_attempts(link.id)
    world.save()


def _count_refusal(world: World, link: BelvoLink) -> None:
    with world.lock:
        link.refusals += 1
        if link.refusals >= REFUSALS_UNTIL_INVALID:
            link.status = "invalid"
        world.save()


def _attempt(world: World, body: Body) -> LoginAttempt:
    """Find the login attempt that a resume names. Raises Refused."""
    attempt = world.attempts.get(body["session"])
    if not attempt or attempt.expires_at <= world.clock():
        raise Refused(refusal(SESSION_EXPIRED))
    if attempt.link_id != body["link"]:
        message = f"Object with id={body['link']} does not exist."
        raise bodies.bad_request(error("does_not_exist", message, field="link"))
    return attempt


def _challenge(attempt: LoginAttempt) -> Answer:
    """Tell the caller what the bank wants: as a list today, as one object in the older shape."""
    asked = attempt.ask
    told: dict[str, Any] = {
        **error("token_required", "A MFA token is required by the institution to login"),
        "session": attempt.session,
        "expiry": str(asked.lifetime) if attempt.as_array else asked.lifetime,
        "link": attempt.link_id,
    }
    kind, instructions = CHALLENGES.get(asked.kind, ("", ""))
    if said := asked.instructions or instructions:
        told["token_generation_data"] = {
            "instructions": said,
            "type": kind,
            "value": _value(asked),
            "expects_user_input": asked.kind is not Kind.APPROVE,
        }
    return json_answer(428, [told] if attempt.as_array else told)


def _value(asked: Ask) -> str:
    number = f"{secrets.randbelow(1_000_000):06}"
    match asked.kind:
        case Kind.NUMERIC:
            return number
        case Kind.QR:
            picture = io.BytesIO()
            segno.make_qr(f"SIMULATED-BANK:{number}").save(picture, kind="png", scale=5)
            return base64.b64encode(picture.getvalue()).decode()
        case Kind.TEXT:
            return asked.question or "¿Qué código te dio el asesor de tu sucursal?"
        case _:
            return ""
