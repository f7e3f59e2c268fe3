"""Whatever a response contains, a call returns our types or raises our errors: clean, bounded, without secrets."""

import base64
import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum

import pytest
from hypothesis import strategies as st
from structlog.testing import capture_logs

from linkadmin.providers import PROVIDERS
from linkadmin.providers.errors import CodeRequired, InvalidInput, NotSent, OutcomeUnknown, ProviderError, Unsupported
from linkadmin.providers.http.client import REFUSALS
from linkadmin.providers.http.deadline import DeadlineConnection
from linkadmin.providers.names import is_customer_id
from linkadmin.providers.types import Cause, Challenge, Observation, RemoteInstitution, Secret

from .conftest import belvo_at, heron_at
from .mutations import Draw, bodies, each_text_replaced, echoes, examples, for_all
from .shapes import INSTITUTION, SECRETS, SESSION, SHAPES, WANTED, Shape, offered

pytestmark = pytest.mark.deep

AT = {"belvo": belvo_at, "heron": heron_at}
KEYS = {"belvo": ["our-secret-id", "our-secret-password"], "heron": ["key_0123456789abcdef"]}
EVERY_CALL = [(kind, shape) for kind, (shapes, _refusals) in SHAPES.items() for shape in shapes if shape.bodies]
NAMES = [f"{kind}.{shape.name}" for kind, shape in EVERY_CALL]

# What each call sends besides the keys.
SENT = {
    "create_link": {"belvo": ["username", "password", "token", "private_key"], "heron": ["access_token"]},
    "update_credentials": {"belvo": ["password", "token", "encryption_key", "private_key"]},
    "submit_code": {"belvo": ["token"]},
    "replace_token": {"heron": ["access_token"]},
}

GOOD = (200, 200, 200, 201, 202)
STATUSES = (204, 299, 302, 304, 408, 418, 500, 502, 503, 504, 599, 999, *sorted(REFUSALS))
HEADERS = {
    "Retry-After": st.sampled_from(["0", "30", "-1", "1e9", "9" * 300, "soon", "\xb2", "Fri, 31 Dec 9999 23:59:59 GMT"])
    | st.text("".join(map(chr, range(32, 256))), max_size=40),
    "X-RateLimit-Reset": st.sampled_from(["0", "1e3", "-5", "soon", "99999999999", "1795000000", "9" * 300]),
    "X-RateLimit-Limit": st.sampled_from(["100", "0", "-1", "", "9" * 300]),
    "X-RateLimit-Remaining": st.sampled_from(["99", "0", "-1", "", "x"]),
    "X-Request-Id": st.sampled_from(
        ["9e7b283c6efa449c", "", "a b", "x" * 121, "our-secret-id", "key_0123456789abcdef"]
    ),
}

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LONGEST = {"value": 100_000, "": 600}  # of a challenge: a picture; without a name: an error as a text


@st.composite
def answers(draw: Draw) -> tuple[str, Shape, bytes]:
    """Return a call, and a response body that may be damaged in any way."""
    kind, shape = draw(st.sampled_from(EVERY_CALL))
    likely, unlikely = (GOOD, STATUSES) if (is_good := draw(st.booleans())) else (STATUSES, GOOD)
    chosen = draw(st.sampled_from(shape.bodies if is_good else shape.refusals + SHAPES[kind][1]))
    body = draw(bodies(chosen, echoes(secrets_of(kind, shape))))
    status = draw(st.sampled_from(likely if draw(st.integers(0, 9)) else unlikely))
    head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    head += [f"{name}: {draw(said)}" for name, said in HEADERS.items() if draw(st.booleans())]
    return kind, shape, "\r\n".join([*head, "", ""]).encode("latin-1") + body


def secrets_of(kind: str, shape: Shape) -> list[str]:
    """Return the secrets that a call sends."""
    sent = [SECRETS[name] for name in SENT.get(shape.name, {}).get(kind, [])]
    return KEYS[kind] + sent + ([SESSION] if shape.name == "submit_code" else [])


def answered(kind: str, shape: Shape, octets: bytes) -> tuple[object, list[object]]:
    """Make a call with these response bytes; return its result and what was logged.

    Everything is the product's own except a listening server, which would take most of the time.
    """
    left_open: list[socket.socket] = []

    def connect(_line: DeadlineConnection, _host: str, _port: int) -> socket.socket:
        ours, theirs = socket.socketpair()
        left_open.append(theirs)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1024 * 1024)  # nothing reads while we write
        theirs.settimeout(1)
        theirs.sendall(octets if len(left_open) == 1 else b'HTTP/1.1 200 Said\r\n\r\n{"results": []}')
        theirs.shutdown(socket.SHUT_WR)
        return ours

    with pytest.MonkeyPatch.context() as patch, capture_logs() as events:
        patch.setattr(DeadlineConnection, "open", connect)
        try:
            outcome: object = shape.make(AT[kind]("http://127.0.0.1:9"))
        except ProviderError as error:
            outcome = error
        finally:
            for connection in left_open:
                connection.close()
    assert left_open, "the call was not made"
    return outcome, list(events)


def written(status: int, body: object) -> bytes:
    payload = json.dumps(body).encode()
    return b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n" % (status, len(payload)) + payload


def parts(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Yield all parts of a result, with their field names."""
    if isinstance(value, ProviderError):
        yield from parts([str(value), repr(value), value.failure, value.observation])
        yield from parts(value.challenge if isinstance(value, CodeRequired) else None)
    elif is_dataclass(value) and not isinstance(value, type):
        yield name, value
        for field in fields(value):
            yield from parts(getattr(value, field.name), field.name)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (*parts(key, name), *parts(inner, name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from parts(inner, name)
    else:
        yield name, value


def forms(secret: str) -> list[str]:
    return [secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]]


def a_call_ends_in_our_own_words(answer: tuple[str, Shape, bytes]) -> None:
    kind, shape, octets = answer
    outcome, events = answered(kind, shape, octets)
    assert not isinstance(outcome, NotSent)
    hidden = [form.casefold() for secret in secrets_of(kind, shape) for form in forms(secret)]
    for name, part in (*parts(outcome), *parts(events)):
        check_part(name, part)
        if isinstance(part, str):
            assert not [form for form in hidden if form in part.casefold()]


CUSTOMER_IDS = ("end_user_id", "external_id")
OURS = (str, bool, int, float, date, timedelta, Enum, Secret)


def check_part(name: str, part: object) -> None:
    assert part is None or isinstance(part, OURS) or is_dataclass(part)
    if isinstance(part, str):
        assert len(part) <= LONGEST.get(name, 500)
        # Customer IDs are stored byte for byte, and isolated only for display.
        assert is_customer_id(part) if part and name in CUSTOMER_IDS else not UNSAFE.search(part)
    elif isinstance(part, datetime):
        for hours in (-14, 0, 14):
            assert part.astimezone(timezone(timedelta(hours=hours)))
    elif isinstance(part, Observation):
        assert isinstance(part.cause, Cause)
    elif isinstance(part, Challenge):
        assert 0 < part.expires_in <= 86_400
        assert part.session.reveal().encode()
        assert part.remote_link_id
    elif name == "retry_after" and part is not None:
        assert 0 <= part <= 86_400  # type: ignore[operator]


@examples(300, many=5_000)
def test_no_answer_gets_past_our_own_words(examples: int) -> None:
    for_all(a_call_ends_in_our_own_words, examples, answer=answers())


@pytest.mark.parametrize(("kind", "shape"), EVERY_CALL, ids=NAMES)
def test_every_good_answer_is_read(kind: str, shape: Shape) -> None:
    for body in shape.bodies:
        outcome = outcome_of(kind, shape.name, 200, body)
        assert not isinstance(outcome, ProviderError) or outcome.failure.reason == "not_listed"


def test_every_provider_is_among_them() -> None:
    assert set(SHAPES) == set(AT) == set(KEYS) == set(PROVIDERS)


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_every_call_of_every_provider_is_among_them(kind: str) -> None:
    calls = set(offered(AT[kind]("http://127.0.0.1:9")))
    assert calls == {shape.name for shape in SHAPES[kind][0]}
    for shape in SHAPES[kind][0]:
        if not shape.bodies:
            with pytest.raises(Unsupported):
                shape.make(AT[kind]("http://127.0.0.1:9"))


WORST = "nul \x00 \u202e half \ud800 \x9b" + "long " * 120


@pytest.mark.parametrize(("kind", "shape"), EVERY_CALL, ids=NAMES)
def test_no_text_of_an_answer_gets_out_as_it_is(kind: str, shape: Shape) -> None:
    refusals = SHAPES[kind][1] if shape.name == "create_link" else shape.refusals
    for word in (secrets_of(kind, shape)[-1], WORST):
        for status, bodies_of_it in ((200, shape.bodies), (422, refusals), (428, refusals)):
            for changed in (one for body in bodies_of_it for one in each_text_replaced(body, word)):
                a_call_ends_in_our_own_words((kind, shape, written(status, changed)))


def call_of(kind: str, name: str) -> Shape:
    return next(shape for shape in SHAPES[kind][0] if shape.name == name)


def outcome_of(kind: str, name: str, status: int, body: object) -> object:
    return answered(kind, call_of(kind, name), written(status, body))[0]


@pytest.mark.parametrize("session", ["", "half \ud800", "a b", "nul\x00", "ñ", "x" * 4_001, None, ["s"], 5])
def test_a_session_that_could_not_be_stored_leaves_the_outcome_open(session: object) -> None:
    outcome = outcome_of("belvo", "update_credentials", 428, {**WANTED, "session": session})
    assert type(outcome) is OutcomeUnknown


def test_a_rejection_that_names_hundreds_of_fields_keeps_a_few() -> None:
    many = [f"field{number}" for number in range(500)]
    in_belvo = outcome_of(
        "belvo", "create_link", 400, [{"code": "required", "field": name, "message": "No"} for name in many]
    )
    in_heron = outcome_of("heron", "create_link", 422, {"description": {"json": {name: ["No"] for name in many}}})
    for outcome in (in_belvo, in_heron):
        assert isinstance(outcome, InvalidInput)
        assert list(outcome.failure.fields)[-1] in {"field0", "field49"}
        assert len(outcome.failure.fields) == 50


def test_an_institution_with_hundreds_of_form_fields_keeps_a_few() -> None:
    outcome = outcome_of("belvo", "read_institution", 200, {**INSTITUTION, "form_fields": [{"name": "token"}] * 500})
    assert isinstance(outcome, RemoteInstitution)
    assert len(outcome.form_fields) == 50
