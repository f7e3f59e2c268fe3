"""What to type at Belvo to get what. The same table drives the server and is shown on its first page.

`user_valid`, `pass_valid`, `user_invalid`, `pass_invalid`, `adv_*`, `mfa_default`, `mfa_qr`, `mfa_numeric` and
`1234567890abcdefg` are the provider's own sandbox words; all others are inventions of this simulator.
Every word but the too long one fits `^[a-zA-Z0-9_]{1,16}$`, so that any bank's form takes it.
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

# A word counts in any of these, the first that is found wins.
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
    Trigger(("user_valid", "pass_valid", "adv_valid"), "the login succeeds, like any word not listed here", Succeed()),
    Trigger(
        ("pass_invalid", "user_invalid", "adv_invalid", "invalid", "999"),
        "wrong password; the sixth refusal in a row turns the link's status to invalid",
        _login_error("Invalid credentials provided to login to the institution", wrong_password=True),
    ),
    Trigger(
        ("not_attempted",),
        "the password is known to be wrong, so the bank was not contacted",
        _login_error("Login not attempted due to invalid credentials", wrong_password=True),
    ),
    Trigger(("mfa_default", "pass_mfa"), "the bank asks for a plain code", Ask()),
    Trigger(
        ("mfa_numeric", "numeric_code"),
        "a number to be typed into the bank's app, then a code",
        Ask(ChallengeKind.NUMERIC),
    ),
    Trigger(("mfa_qr", "qr_code"), "a QR picture to be scanned, then a code", Ask(ChallengeKind.QR)),
    Trigger(("mfa_text",), "a question in words, answered by a code", Ask(ChallengeKind.TEXT)),
    Trigger(("mfa_approve",), "approval in the bank's app, with nothing to type", Ask(ChallengeKind.APPROVE)),
    Trigger(("mfa_three",), "three steps: choose a device, type a number into the app, answer a question", THREE_STEPS),
    Trigger(("mfa_five",), "five steps: device, plain code, number, approval, question", FIVE_STEPS),
    Trigger(("mfa_endless",), "twenty questions, one after the other", ENDLESS),
    Trigger(("mfa_questions",), "two questions in other words, one after the other", replace(_PET, then=_CARD)),
    Trigger(
        ("mfa_unapproved",),
        "approval in the bank's app, which the bank finds only when it is asked a second time",
        Ask(ChallengeKind.APPROVE, then=Ask(ChallengeKind.APPROVE)),
    ),
    Trigger(
        ("mfa_reworded",),
        "a number, then another one in other words, whether the code was right or wrong",
        Ask(ChallengeKind.NUMERIC, then=_NUMBER_AGAIN, again=_NUMBER_AGAIN),
    ),
    Trigger(("mfa_short",), "a plain code that runs out after 12 seconds", Ask(lifetime=12)),
    Trigger(("mfa_array",), "a plain code, told in today's shape: a list, with the time as text", Ask(as_array=True)),
    Trigger(("mfa_object",), "a plain code, told in the older shape: one object, with a number", Ask(as_array=False)),
    Trigger(("slow_mfa_",), "a bank that takes N seconds (1 to 300), then asks for a plain code", Ask(), timed=True),
    Trigger(("slow_",), "a bank that takes N seconds (1 to 300), then lets us in", Succeed(), timed=True),
    Trigger(("account_locked",), "the account is locked at the bank", LOCKED),
    Trigger(
        ("access_forbidden",),
        "the bank forbids this account to be read",
        _login_error("The user account access was forbidden by the institution"),
    ),
    Trigger(
        ("mfa_unsupported",),
        "the bank wants a kind of code that Belvo cannot ask for",
        _login_error("A MFA token is required by the institution, but it's not supported yet by Belvo."),
    ),
    Trigger(
        ("unexpected",),
        "something unexpected happened at the bank",
        _login_error(
            "Impossible to login, something unexpected happened while logging into the institution. Try again later."
        ),
    ),
    Trigger(("missing",), "a field that the bank needs is missing", MISSING),
    Trigger(
        ("invalid_link",),
        "the link has been invalidated",
        Refuse(400, "invalid_link", "The link has been invalidated. You may need to update link credentials"),
    ),
    Trigger(
        ("unconfirmed_link",),
        "the link was never completed",
        Refuse(400, "unconfirmed_link", "The link creation has not been completed yet"),
    ),
    Trigger(("too_many",), "too many sessions: the customer is logged in elsewhere", TOO_MANY_SESSIONS),
    Trigger(("institution_down", "bank_down"), "the bank is down", DOWN),
    Trigger(
        ("bank_unavailable",),
        "the bank is unavailable",
        Refuse(400, "institution_unavailable", "The financial institution is unavailable"),
    ),
    Trigger(
        ("bank_inactive",),
        "Belvo has switched the bank off",
        Refuse(400, "institution_inactive", "The institution has been temporarily deactivated"),
    ),
    Trigger(
        ("activation",),
        "status 428 with nothing to resume: online banking is not activated",
        Plain(
            json_reply(
                428, [{"code": "activation_required", "message": "This user doesn't have web access activated yet."}]
            )
        ),
    ),
    Trigger(
        ("activate_failed",),
        "online banking could not be activated",
        Refuse(400, "activation_failed", "The credentials provided were not accepted by the institution."),
    ),
    Trigger(("validation_error", "1234567890abcdefg"), "validation error that names no field", VALIDATION),
    Trigger(
        ("expired_creds",),
        "status 404 although the link exists: its stored credentials have expired",
        EXPIRED_CREDENTIALS,
        update_only=True,
    ),
    Trigger(
        ("consent_empty",),
        "status 401 that is not about our keys: the consent has no accounts",
        Refuse(
            401,
            "consent_without_accounts",
            "Information cannot be retrieved as the consent has no associated accounts",
        ),
    ),
    Trigger(
        ("denied_403",),
        "status 403: our contract does not include this",
        Refuse(403, "access_to_resource_denied", "You don't have access to this resource."),
    ),
    Trigger(("html_403",), "status 403 as a web page: the firewall blocked us", Plain(BLOCKED)),
    Trigger(
        ("timeout_408",),
        "status 408: Belvo gave up waiting",
        Refuse(
            408,
            "request_timeout",
            "The request timed out, you can retry asking for less data by changing your query parameters",
        ),
    ),
    Trigger(("rate_429",), "status 429: too many calls", Plain(THROTTLED)),
    Trigger(("server_error",), "status 500, nothing was changed", SERVER_ERROR),
    Trigger(("error_after",), "status 500, yet the change was made", Spoil(Damage.ERROR, acted=True)),
    Trigger(("lost_before",), "the connection breaks, nothing was changed", Spoil(Damage.NONE, acted=False)),
    Trigger(("lost_after",), "the change is made, then the connection breaks", Spoil(Damage.NONE, acted=True)),
    Trigger(("unreadable",), "the change is made, the answer cannot be read", Spoil(Damage.UNREADABLE, acted=True)),
    Trigger(("cut_body",), "the change is made, the answer stops half-way", Spoil(Damage.CUT, acted=True)),
)

CODES = (
    Trigger((RIGHT_CODE,), "right", Succeed()),
    Trigger(("100005",), "right, after a wait of five seconds", Succeed(5)),
    Trigger(("100400",), "the bank refuses: the account is locked", LOCKED),
    Trigger(("100409",), "too many sessions", TOO_MANY_SESSIONS),
    Trigger(("100500",), "status 500, nothing was changed", SERVER_ERROR),
    Trigger(("100001",), "right, but the connection breaks before we hear of it", Spoil(Damage.NONE, acted=True)),
    Trigger(("100002",), "the connection breaks, nothing was changed", Spoil(Damage.NONE, acted=False)),
)


def login_outcome(values: dict[str, str], *, updating: bool) -> Outcome:
    """Say what a login with these values leads to."""
    for name in TRIGGER_FIELDS:
        trigger = match(TRIGGERS, values.get(name, ""))
        if trigger and trigger.outcome != Succeed() and (updating or not trigger.update_only):
            return trigger.outcome
    return Succeed()


def code_outcome(code: str) -> Outcome | None:
    """Say what a one-time code leads to; None for a wrong one."""
    trigger = match(CODES, code)
    return trigger.outcome if trigger else None
