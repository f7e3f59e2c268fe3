"""Faults on request: the next requests to a path get a chosen response, whatever they ask for.

The tables of responses drive the server and appear in the Simulator guide.
"""

import gzip
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .belvo import guide as belvo_guide
from .belvo.bodies import error
from .heron.bodies import envelope_of
from .outcomes import Damage, Outcome, Plain, Refuse, Spoil
from .wire import Reply, Request, as_dict, json_reply

FOLLOWED = "/api/followed/"  # redirect target: a client that follows it shows up in the journal
OVERSIZED = 2 << 20  # bytes
BOMB = 16 << 20  # bytes when unpacked
DEPTH = 100_000  # nested lists


@dataclass(frozen=True, slots=True)
class Fault:
    """A named response, built for each request."""

    name: str
    says: str
    make: Callable[[], Outcome]


def _always(name: str, says: str, outcome: Outcome) -> Fault:
    return Fault(name, says, lambda: outcome)


def _body(name: str, says: str, payload: bytes, content_type: str = "application/json") -> Fault:
    return _always(name, says, Plain(Reply(200, payload, content_type)))


def _redirect(name: str, says: str, status: int, target: str) -> Fault:
    return _always(name, says, Plain(Reply(status, headers={"Location": target})))


def _belvo(name: str, says: str, status: int, message: str, **more: str) -> Fault:
    return Fault(name, says, lambda: Plain(json_reply(status, [error(name, message, **more)])))


def _heron(name: str, says: str, status: int, description: str | Mapping[str, object]) -> Fault:
    return _always(name, says, Plain(envelope_of(status, description)))


def _oversized() -> Outcome:
    return Plain(Reply(200, b'{"results": "' + b"0" * OVERSIZED + b'"}'))


def _bomb() -> Outcome:
    packed = gzip.compress(b'{"results": "' + b"0" * BOMB + b'"}', compresslevel=1)
    return Plain(Reply(200, packed, headers={"Content-Encoding": "gzip"}))


LINE_FAULTS = (
    _always("lost_before", "the connection breaks, nothing changed", Spoil(Damage.NONE, acted=False)),
    _always("lost_after", "the request is processed, then the connection breaks", Spoil(Damage.NONE, acted=True)),
    _always("cut", "the request is processed, the response is cut off", Spoil(Damage.CUT, acted=True)),
    _always("unreadable", "the request is processed, the response can't be read", Spoil(Damage.UNREADABLE, acted=True)),
    _always("error_after", "the request is processed, the response is status 500", Spoil(Damage.ERROR, acted=True)),
    _always(
        "dripped", "the request is processed, the response arrives byte by byte", Spoil(Damage.DRIPPED, acted=True)
    ),
    Fault("oversized", "a 2 MiB response", _oversized),
    Fault("gzip_bomb", "a small compressed response that unpacks to 16 MiB", _bomb),
    _redirect("redirect", "status 302 to another path of the simulator", 302, FOLLOWED),
    _redirect("redirect_307", "status 307 (keeps method and body) to another path of the simulator", 307, FOLLOWED),
    _redirect("redirect_away", "status 302 to a cloud's internal address", 302, "http://169.254.169.254/latest/"),
    _body("html_200", "a web page with status 200", b"<html><body>Please sign in.</body></html>", "text/html"),
    _body("empty_200", "status 200 without a body", b""),
    _body("deep", "JSON with a hundred thousand nested lists", b"[" * DEPTH + b"]" * DEPTH),
    _body("nan", "JSON with NaN and Infinity", b'{"count": NaN, "results": [Infinity]}'),
    _body("huge_number", "JSON with a number of ten thousand digits", b'{"count": ' + b"9" * 10_000 + b"}"),
    _body("duplicate_keys", "JSON with a duplicate key", b'{"results": [], "links": [], "results": 1, "links": 1}'),
    _body("bad_utf8", "JSON with invalid UTF-8", b'{"status": "\xff\xfe\x00"}'),
    _always(
        "foreign_next",
        "an empty page with a next URL on another host",
        Plain(
            json_reply(
                200,
                {"count": 2, "next": "http://elsewhere.test/api/links/?page=2", "previous": None, "results": []},
            )
        ),
    ),
)

BELVO_FAULTS = (
    *(
        _always(trigger.words[0], trigger.says, trigger.outcome)
        for trigger in belvo_guide.TRIGGERS
        if isinstance(trigger.outcome, Refuse | Plain)
    ),
    _always("session_expired", "the code expired", belvo_guide.SESSION_EXPIRED),
    _belvo("session_expired_ob", "an open finance widget session expired", 400, "The session has expired"),
    _belvo(
        "unavailable_data", "the bank returned no data", 400, "The institution did not return any data for the request."
    ),
    _belvo(
        "unsupported_operation",
        "the bank doesn't support this",
        400,
        "The resource you are trying to access is not supported by this institution",
    ),
    _belvo("required", "a field is missing", 400, "This field is required.", field="username"),
    _belvo("blank", "a field is empty", 400, "This field may not be blank.", field="password"),
    _belvo("null", "a field is null", 400, "This field may not be null.", field="password"),
    _belvo(
        "does_not_exist",
        "an institution Belvo doesn't have",
        400,
        "Object with name=nowhere_mx_retail does not exist.",
        field="institution",
    ),
    _belvo(
        "invalid",
        "a resource the bank doesn't support",
        400,
        "The institution only supports the following resources: ACCOUNTS, OWNERS",
        field="resources",
    ),
    _belvo("invalid_choice", "not one of the choices", 400, '"daily" is not a valid choice.', field="access_mode"),
    _belvo(
        "duplicated",
        "this person already has a link at this bank",
        400,
        "Link already exists",
        institution_user_id="sooE7XJWEKypZJR603ecaWYk-8Ap0oD8Nr1pBQ4eG9c=",
    ),
    _belvo(
        "invalid_credentials_storage",
        "a recurrent link that doesn't store credentials",
        400,
        "Recurrent links must store the credentials",
    ),
    _belvo(
        "invalid_fetch_resources",
        "a single link that neither stores credentials nor fetches anything",
        400,
        "Single links without stored credentials must fetch resources",
    ),
    _belvo(
        "invalid_access_mode_switch",
        "a link without stored credentials can't become recurrent",
        400,
        "This link doesn't have stored credentials hence it can't be switched to recurrent mode",
    ),
    _belvo("not_a_list", "a list was expected", 400, 'Expected a list but got type "str".', field="fetch_resources"),
    _belvo("parse_error", "not JSON", 400, "JSON parse error - Expecting value: line 1 column 1 (char 0)"),
    _always(
        "nested_error",
        "an error inside a field, without a top-level code and message",
        Plain(json_reply(400, [{"fetch_resources": [error("invalid", "Enter a valid value.")]}])),
    ),
    _belvo("not_found", "status 404: no such link", 404, "Not found."),
    _belvo("method_not_allowed", "status 405", 405, 'Method "PUT" not allowed.'),
    _belvo(
        "link_refreshed",
        "status 409: refreshed less than ten minutes ago",
        409,
        "The link has already been refreshed. Please wait 7 minutes before trying again.",
    ),
    _belvo("authentication_failed", "status 401: wrong API keys", 401, "Invalid Secret Keys"),
    _belvo(
        "access_to_production_denied",
        "status 403: our contract doesn't include production",
        403,
        "You don't have access to this API in production.",
    ),
    _belvo("permission_denied", "status 403: not permitted", 403, "You do not have permission to perform this action."),
    _belvo("quota_limit_reached", "status 403: too many links", 403, "The quota of links has been reached."),
    _belvo("service_unavailable", "status 500: Belvo is down", 500, "The service is unavailable, try again later."),
)

HERON_FAULTS = (
    _heron("heron_400", "status 400: a rule was violated", 400, "The request could not be understood."),
    _heron("heron_401", "status 401: the API key was deactivated", 401, "Missing or invalid API key"),
    _heron("heron_403", "status 403: the account doesn't have this feature", 403, "Feature not enabled"),
    _heron("heron_404", "status 404: no such record", 404, "Integration link not found"),
    _heron("heron_409", "status 409: already exists, or busy", 409, "A link with this item_id already exists"),
    _heron("heron_413", "status 413: the body is too large", 413, "The data value transmitted exceeds the limit."),
    _heron("heron_422", "status 422: rejected field", 422, {"json": {"item_id": ["Invalid value."]}}),
    _heron("heron_422_text", "status 422 as plain text", 422, "a link with this item_id exists"),
    _heron("heron_422_query", "status 422 for the query", 422, {"query": {"limit": ["Not a valid integer."]}}),
    _heron(
        "heron_422_schema",
        "status 422 for the object as a whole",
        422,
        {"json": {"integration": {"_schema": ["invalid combination"]}}},
    ),
    _always(
        "heron_422_partial",
        "status 422: some asset reports couldn't be refreshed",
        Plain(json_reply(422, {"failed_links": ["item-unknown"], "processed_links": 3})),
    ),
    _heron("heron_429", "status 429: rate limited", 429, "100 per 1 minute"),
    _heron("heron_500", "status 500, nothing changed", 500, "something broke on the server"),
    _always(
        "heron_message",
        "an error in the other format, with just a message",
        Plain(json_reply(400, {"message": "The request could not be understood."})),
    ),
)

ANSWERS = {fault.name: fault for fault in (*LINE_FAULTS, *BELVO_FAULTS, *HERON_FAULTS)}

ANY_METHOD = "*"
MOST_TIMES = 1_000_000
_GLOB = set("*?[")


@dataclass(slots=True)
class Order:
    """A pending fault. The path is a prefix, or a pattern if it contains `*`, `?` or `[`."""

    method: str
    path: str
    times: int
    answer: str

    def fits(self, request: Request) -> bool:
        path = self.path if _GLOB & set(self.path) else f"{self.path}*"
        return self.method in (ANY_METHOD, request.method) and fnmatchcase(request.path, path)


class Faults:
    """Pending faults, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Order] = []

    def order(self, body: Mapping[str, Any]) -> None:
        given = {"method": ANY_METHOD, "path": "/api/", "times": 1, **body}
        if given.keys() != {"method", "path", "times", "answer"}:
            raise ValueError("a fault has an answer, and may have method, path and times")
        if not all(type(value) is (int if name == "times" else str) for name, value in given.items()):
            raise ValueError("method, path and answer are texts, times is a number")
        if given["answer"] not in ANSWERS:
            raise ValueError(f"unknown answer {given['answer']!r}; the guide lists them all")
        if not 1 <= given["times"] <= MOST_TIMES:
            raise ValueError(f"times must be a number from 1 to {MOST_TIMES}")
        with self._lock:
            self._orders.append(Order(**{**given, "method": given["method"].upper()}))

    def take(self, request: Request) -> Fault | None:
        with self._lock:
            order = next((order for order in self._orders if order.fits(request)), None)
            if not order:
                return None
            order.times -= 1
            if not order.times:
                self._orders.remove(order)
            return ANSWERS[order.answer]

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [as_dict(order) for order in self._orders]
