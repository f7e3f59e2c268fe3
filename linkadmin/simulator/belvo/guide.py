"""Belvo test values and what each does. The same table drives the server and appears in the Simulator guide.

`user_valid`, `pass_valid`, `user_invalid`, `pass_invalid`, `adv_*`, `mfa_default`, `mfa_qr`, `mfa_numeric` and
`1234567890abcdefg` are from Belvo's own sandbox; all others are invented here.
Every value except the overlong one matches `^[a-zA-Z0-9_]{1,16}$`, so any bank's form accepts it.
"""

from dataclasses import replace
from functools import reduce

from linkadmin.simulator.outcomes import (
    SERVER_ERROR,
    Ask,
    ChallengeKind,
    Damage,
    Outcome,
    Plain,
    Refuse,
    Spoil,
    Succeed,
    Trigger,
    match,
)
from linkadmin.simulator.wire import Reply, json_reply

RIGHT_CODE = "111111"
WRONG_CODES_UNTIL_LOCKED = 5
REFUSALS_UNTIL_INVALID = 6

# Fields that are searched for a test value; the first match wins.
TRIGGER_FIELDS = ("username", "password", "username2", "password2", "username_type")


def _login_error(message: str, *, wrong_password: bool = False) -> Refuse:
    return Refuse(400, "login_error", message, wrong_password)


LOCKED = _login_error("The user account is locked, user needs to contact the institution to unlock it")
MISSING = _login_error("Missing credentials to login to the institution")
DOWN = Refuse(400, "institution_down", "The financial institution is down, try again later")
VALIDATION = Refuse(400, "validation_error", "Bad request")
EXPIRED_CREDENTIALS = Refuse(404, "expired_credentials", "The credentials of this link have expired")
SESSION_EXPIRED = Refuse(
    400,
    "session_expired",
    "The session you are trying to resume has expired, please start again from register/retrieve endpoint",
)
TOO_MANY_SESSIONS = Refuse(
    400,
    "too_many_sessions",
    "Impossible to login, a session is already opened with the institution for these credentials",
)

BLOCKED = Reply(
    403, b"<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>", "text/html"
)
THROTTLED = json_reply(429, {"detail": "Request was throttled."})

_PET = Ask(ChallengeKind.TEXT, question="¿Cómo se llamaba tu primera mascota?")
_CARD = Ask(ChallengeKind.TEXT, question="¿Cuáles son los últimos tres dígitos de tu tarjeta?")
_NUMBER_AGAIN = Ask(ChallengeKind.NUMERIC, instructions="Escribe el nuevo número en la aplicación y obtén otro token")


def _device(then: Ask) -> Ask:
    return Ask(
        ChallengeKind.TEXT,
        instructions="Elige el dispositivo que recibirá tu código",
        question="1: teléfono terminado en 4417, 2: token físico",
        then=then,
    )


THREE_STEPS = _device(Ask(ChallengeKind.NUMERIC, then=_PET))
FIVE_STEPS = _device(
    Ask(
        instructions="Escribe el código que recibiste en tu teléfono",
        then=Ask(ChallengeKind.NUMERIC, then=Ask(ChallengeKind.APPROVE, then=_PET)),
    )
)
ENDLESS = reduce(lambda then, each: replace(each, then=then), (_PET, _CARD) * 10)

TRIGGERS = (
    Trigger(
        ("user_valid", "pass_valid", "adv_valid"), "the sign-in succeeds, as with any value not listed here", Succeed()
    ),
    Trigger(
        ("pass_invalid", "user_invalid", "adv_invalid", "invalid", "999"),
        "wrong password; after six in a row the link's status becomes invalid",
        _login_error("Invalid credentials provided to login to the institution", wrong_password=True),
    ),
    Trigger(
        ("not_attempted",),
        "known wrong password, so the bank isn't contacted",
        _login_error("Login not attempted due to invalid credentials", wrong_password=True),
    ),
    Trigger(("mfa_default", "pass_mfa"), "the bank asks for a plain code", Ask()),
    Trigger(
        ("mfa_numeric", "numeric_code"),
        "a number to type into the bank's app, then a code",
        Ask(ChallengeKind.NUMERIC),
    ),
    Trigger(("mfa_qr", "qr_code"), "a QR code to scan, then a code", Ask(ChallengeKind.QR)),
    Trigger(("mfa_text",), "a security question", Ask(ChallengeKind.TEXT)),
    Trigger(("mfa_approve",), "approval in the bank's app, with nothing to type", Ask(ChallengeKind.APPROVE)),
    Trigger(("mfa_three",), "three steps: choose a device, type a number into the app, answer a question", THREE_STEPS),
    Trigger(("mfa_five",), "five steps: device, plain code, number, approval, question", FIVE_STEPS),
    Trigger(("mfa_endless",), "twenty questions in a row", ENDLESS),
    Trigger(("mfa_questions",), "two different questions in a row", replace(_PET, then=_CARD)),
    Trigger(
        ("mfa_unapproved",),
        "approval in the bank's app, seen by the bank only on the second request",
        Ask(ChallengeKind.APPROVE, then=Ask(ChallengeKind.APPROVE)),
    ),
    Trigger(
        ("mfa_reworded",),
        "a number, then another with different instructions, whether the code was right or wrong",
        Ask(ChallengeKind.NUMERIC, then=_NUMBER_AGAIN, again=_NUMBER_AGAIN),
    ),
    Trigger(("mfa_short",), "a plain code that expires after 12 seconds", Ask(lifetime=12)),
    Trigger(
        ("mfa_array",), "a plain code in Belvo's current format: a list, with the time as text", Ask(as_array=True)
    ),
    Trigger(
        ("mfa_object",),
        "a plain code in Belvo's older format: an object, with the time as a number",
        Ask(as_array=False),
    ),
    Trigger(("slow_mfa_",), "a bank that takes N seconds (1 to 300), then asks for a plain code", Ask(), timed=True),
    Trigger(("slow_",), "a bank that takes N seconds (1 to 300), then accepts the sign-in", Succeed(), timed=True),
    Trigger(("account_locked",), "the account is locked at the bank", LOCKED),
    Trigger(
        ("access_forbidden",),
        "the bank blocks access to this account",
        _login_error("The user account access was forbidden by the institution"),
    ),
    Trigger(
        ("mfa_unsupported",),
        "the bank requires a code method Belvo doesn't support",
        _login_error("A MFA token is required by the institution, but it's not supported yet by Belvo."),
    ),
    Trigger(
        ("unexpected",),
        "an unexpected error at the bank",
        _login_error(
            "Impossible to login, something unexpected happened while logging into the institution. Try again later."
        ),
    ),
    Trigger(("missing",), "a required field is missing", MISSING),
    Trigger(
        ("invalid_link",),
        "the link has been invalidated",
        Refuse(400, "invalid_link", "The link has been invalidated. You may need to update link credentials"),
    ),
    Trigger(
        ("unconfirmed_link",),
        "the link was never confirmed",
        Refuse(400, "unconfirmed_link", "The link creation has not been completed yet"),
    ),
    Trigger(("too_many",), "too many sessions: the customer is signed in elsewhere", TOO_MANY_SESSIONS),
    Trigger(("institution_down", "bank_down"), "the bank is down", DOWN),
    Trigger(
        ("bank_unavailable",),
        "the bank is unavailable",
        Refuse(400, "institution_unavailable", "The financial institution is unavailable"),
    ),
    Trigger(
        ("bank_inactive",),
        "Belvo has deactivated the bank",
        Refuse(400, "institution_inactive", "The institution has been temporarily deactivated"),
    ),
    Trigger(
        ("activation",),
        "status 428 without a session: online banking isn't activated",
        Plain(
            json_reply(
                428, [{"code": "activation_required", "message": "This user doesn't have web access activated yet."}]
            )
        ),
    ),
    Trigger(
        ("activate_failed",),
        "online banking couldn't be activated",
        Refuse(400, "activation_failed", "The credentials provided were not accepted by the institution."),
    ),
    Trigger(("validation_error", "1234567890abcdefg"), "a validation error without a field", VALIDATION),
    Trigger(
        ("expired_creds",),
        "status 404 for an existing link: its stored credentials expired",
        EXPIRED_CREDENTIALS,
        update_only=True,
    ),
    Trigger(
        ("consent_empty",),
        "status 401 unrelated to our API keys: the consent has no accounts",
        Refuse(
            401,
            "consent_without_accounts",
            "Information cannot be retrieved as the consent has no associated accounts",
        ),
    ),
    Trigger(
        ("denied_403",),
        "status 403: our contract doesn't include this",
        Refuse(403, "access_to_resource_denied", "You don't have access to this resource."),
    ),
    Trigger(("html_403",), "status 403 as a web page: blocked by the firewall", Plain(BLOCKED)),
    Trigger(
        ("timeout_408",),
        "status 408: Belvo timed out",
        Refuse(
            408,
            "request_timeout",
            "The request timed out, you can retry asking for less data by changing your query parameters",
        ),
    ),
    Trigger(("rate_429",), "status 429: rate limited", Plain(THROTTLED)),
    Trigger(("server_error",), "status 500, nothing changed", SERVER_ERROR),
    Trigger(("error_after",), "status 500, but the change was made", Spoil(Damage.ERROR, acted=True)),
    Trigger(("lost_before",), "the connection breaks, nothing changed", Spoil(Damage.NONE, acted=False)),
    Trigger(("lost_after",), "the change is made, then the connection breaks", Spoil(Damage.NONE, acted=True)),
    Trigger(("unreadable",), "the change is made, the response can't be read", Spoil(Damage.UNREADABLE, acted=True)),
    Trigger(("cut_body",), "the change is made, the response is cut off", Spoil(Damage.CUT, acted=True)),
)

CODES = (
    Trigger((RIGHT_CODE,), "right", Succeed()),
    Trigger(("100005",), "right, after five seconds", Succeed(5)),
    Trigger(("100400",), "rejected: the account is locked", LOCKED),
    Trigger(("100409",), "too many sessions", TOO_MANY_SESSIONS),
    Trigger(("100500",), "status 500, nothing changed", SERVER_ERROR),
    Trigger(("100001",), "right, but the connection breaks before the response", Spoil(Damage.NONE, acted=True)),
    Trigger(("100002",), "the connection breaks, nothing changed", Spoil(Damage.NONE, acted=False)),
)


def login_outcome(values: dict[str, str], *, updating: bool) -> Outcome:
    for name in TRIGGER_FIELDS:
        trigger = match(TRIGGERS, values.get(name, ""))
        if trigger and trigger.outcome != Succeed() and (updating or not trigger.update_only):
            return trigger.outcome
    return Succeed()


def code_outcome(code: str) -> Outcome | None:
    """None for a wrong code."""
    trigger = match(CODES, code)
    return trigger.outcome if trigger else None
