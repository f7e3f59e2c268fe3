"""Parses Belvo's responses about links, and its errors, in every documented shape.

Raises ValueError for a response without the record or list it should have.

https://developers.belvo.com/apis/belvoopenapispec/links
"""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from http import HTTPStatus
from urllib.parse import urlencode

from linkadmin.providers.error_bodies import entry_of, items_of
from linkadmin.providers.errors import (
    CodeRequired,
    Failure,
    InvalidInput,
    KeysRejected,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    forbidden,
)
from linkadmin.providers.http.answer import UUID, Answer
from linkadmin.providers.http.redaction import MAX_WORDS
from linkadmin.providers.pictures import picture
from linkadmin.providers.reading import Unusable, Why, count, mapping, mappings, moment, records, required_mapping
from linkadmin.providers.records import Accepted, RemoteRepairUrl, Removed, expect_id
from linkadmin.providers.types import (
    Cause,
    Challenge,
    ChallengeKind,
    ConnectionReport,
    Observation,
    RemoteLink,
    Secret,
)

from .errors import CODES, KNOWN_CODES, LOGIN_ERROR_ELSE, LOGIN_ERRORS, STATUSES, WRONG_KEYS
from .forms import FIELD_NAMES
from .records import names_in, results

STATUS_CAUSES: Mapping[str, Cause] = {
    "valid": Cause.WORKING,
    "invalid": Cause.LOGIN_REFUSED,
    "token_required": Cause.CODE_NEEDED,
    "unconfirmed": Cause.UNCONFIRMED,
}

# Fields that may be empty: Belvo's name -> ours.
_CLEARABLE: Mapping[str, str] = {
    "access_mode": "access_mode",
    "refresh_rate": "refresh_rate",
    "credentials_storage": "storage",
    "stale_in": "stale_in",
    "fetch_resources": "resources",
    "external_id": "external_id",
    "created_by": "created_by",
}

_MAX_ACCESS = 8000  # characters
_DEFAULT_EXPIRY = 300  # seconds, if the challenge doesn't say
_MAX_EXPIRY = 24 * 3600
_MAX_PICTURE = 1_000_000  # characters
_MAX_CHALLENGE = 100_000  # characters of a text
_MINUTES = re.compile(r"wait (\d{1,3}) minute")
_CODE_WORDS = ("code", "token", "otp", "sms", "pin", "qr")  # challenge kinds whose instructions aren't a question
_SESSION = re.compile(r"[!-~]{1,4000}")
_ACCESS_MODE = re.compile("single|recurrent")
_RATE = re.compile(r"(\d{1,4})([hd])")
_STORAGE_DAYS = re.compile(r"(\d{1,4})d")
_MAYBE_PIN = re.compile(r"\d{4}")
_STORAGE = re.compile(rf"store|nostore|{_STORAGE_DAYS.pattern}")


def report(answer: Answer) -> ConnectionReport:
    total = count(required_mapping(answer.data).get("count"))
    detail = "" if total is None else f"{total} institutions"
    return ConnectionReport(detail=detail, duration_ms=answer.duration_ms)


def link(answer: Answer, *, expected_id: str = "", known: Container[str] = ()) -> RemoteLink:
    """`known`: the institution and external ID we have for it."""
    found = link_of(answer, required_mapping(answer.data), known=known)
    return expect_id(found, expected_id) if expected_id else found


def links(answer: Answer) -> list[RemoteLink]:
    return records(results(answer), partial(link_of, answer))[0]


def batch(answer: Answer, *, requested: frozenset[str]) -> list[RemoteLink]:
    """Raises ValueError if a missing link, which counts as gone, could be on another page or in a malformed record."""
    links, odd = records(results(answer), partial(link_of, answer))
    found = [link for link in links if link.remote_id in requested]
    missing = requested - {link.remote_id for link in found}
    was_ignored = len(found) < len(links) or mapping(answer.data).get("next")
    if missing and (was_ignored or any(record.may_be_one_of(missing, "id") for record in odd)):
        raise ValueError("a missing link may be there after all")
    return found


def accepted(answer: Answer) -> Accepted:
    required_mapping(answer.data)
    return Accepted(request_id=answer.request_id)


def removed(answer: Answer) -> Removed:
    # 202: the link will be deleted later.
    return Removed(Cause.REMOVED, finished=answer.status != 202, request_id=answer.request_id)


def repair_url(answer: Answer, *, page: str, locale: str) -> RemoteRepairUrl:
    # The refresh token is valid for years, so it isn't read at all.
    access = required_mapping(answer.data).get("access")
    if not isinstance(access, str) or not 0 < len(access) <= _MAX_ACCESS:
        raise ValueError("a token was expected")
    query = {"access_token": access} | ({"locale": locale} if locale else {})
    return RemoteRepairUrl(Secret(f"{page}?{urlencode(query)}"), expires_in=600, request_id=answer.request_id)


def refusal(
    operation: str, answer: Answer, *, link_id: str = "", at_bank: bool = False, about_link: bool = True
) -> ProviderError:
    """`at_bank`: the call signs in at the bank. `about_link`: its errors say something about the link's health."""
    items = items_of(answer.data)
    # The first error with a code is the one to act on.
    item = next((item for item in items if isinstance(item.get("code"), str)), items[0] if items else {})
    failure = _failure(operation, answer, item, items)
    if answer.status == 428 and failure.code != "activation_required":
        return _code_required(answer, failure, link_id)
    error, cause = _meaning(failure, item.get("message"))
    if error is KeysRejected and answer.status == HTTPStatus.FORBIDDEN and failure.code != WRONG_KEYS:
        return forbidden(failure, names_reason=failure.code in CODES)
    if error is KeysRejected:
        failure = replace(failure, retry_after=None)
    says_anything = bool(failure.code or failure.words) or error is OutcomeUnknown
    if (
        cause is None
        and at_bank
        and failure.code not in CODES
        and says_anything
        and error in {Rejected, OutcomeUnknown}
    ):
        cause = Cause.PROVIDER_TROUBLE if error is OutcomeUnknown else Cause.UNRECOGNIZED
    if cause is None or not about_link:
        return error(failure)
    return error(failure, Observation(cause=cause, raw_code=failure.code, raw_words=failure.words))


def link_of(answer: Answer, item: Mapping[str, object], *, known: Container[str] = ()) -> RemoteLink:
    link_id = answer.identifier(item.get("id"), shape=UUID)
    if not link_id:
        raise Unusable(Why.ID_UNUSABLE if item.get("id") else Why.NO_ID)
    if not isinstance(item.get("institution"), str) or not isinstance(item.get("status"), str):
        raise Unusable(Why.INCOMPLETE)
    last_accessed_at = moment(item.get("last_accessed_at"))
    status = answer.term(item["status"], STATUS_CAUSES)
    return RemoteLink(
        remote_id=link_id,
        observation=Observation(cause=_cause(answer, item, status), raw_status=status, last_good_at=last_accessed_at),
        institution=answer.identifier(item["institution"], known=known),
        access_mode=_setting(answer, item.get("access_mode"), _ACCESS_MODE, longest=20),
        refresh_rate=_setting(answer, item.get("refresh_rate"), _RATE, longest=8),
        storage=_setting(answer, item.get("credentials_storage"), _STORAGE, longest=10),
        stale_in=_setting(answer, item.get("stale_in"), _STORAGE_DAYS, longest=8),
        resources=names_in(answer, item.get("fetch_resources")),
        external_id=answer.customer_id(item.get("external_id"), known=known),
        created_at=moment(item.get("created_at")),
        created_by=answer.identifier(item.get("created_by"), shape=UUID),
        last_accessed_at=last_accessed_at,
        fresh_for=_fresh_for(str(item.get("access_mode")), str(item.get("refresh_rate"))),
        request_id=answer.request_id,
        cleared=tuple(ours for name, ours in _CLEARABLE.items() if name in item and item[name] in (None, "", [])),
    )


def _setting(answer: Answer, value: object, known: re.Pattern[str], *, longest: int) -> str:
    # A documented value isn't an echo, even if a secret equals it.
    if isinstance(value, str) and known.fullmatch(value) and not _MAYBE_PIN.search(value):
        return value
    return answer.identifier(value, longest=longest)


def _cause(answer: Answer, item: Mapping[str, object], status: str) -> Cause:
    if status == "invalid" and _is_storage_over(answer, item):
        return Cause.STORAGE_ENDED
    return STATUS_CAUSES.get(status, Cause.UNRECOGNIZED)


def _is_storage_over(answer: Answer, item: Mapping[str, object]) -> bool:
    storage, created_at = answer.words(item.get("credentials_storage")), moment(item.get("created_at"))
    days = _STORAGE_DAYS.fullmatch(storage)
    if storage == "nostore":
        return True
    return bool(days and created_at and answer.received_at - created_at >= timedelta(days=int(days[1])))


@lru_cache(maxsize=64)
def _fresh_for(access_mode: str, refresh_rate: str) -> timedelta | None:
    # A one-time link never gets stale; a recurring one may miss one sync plus a day.
    rate = _RATE.fullmatch(refresh_rate)
    if access_mode == "single" or rate is None:
        return None
    turn = timedelta(hours=int(rate[1])) if rate[2] == "h" else timedelta(days=int(rate[1]))
    return 2 * turn + timedelta(days=1)


def _failure(operation: str, answer: Answer, item: Mapping[str, object], items: Sequence[object]) -> Failure:
    others = [mapping(other) for other in items if other is not item]
    entries = [entry_of(answer, each, codes=KNOWN_CODES, fields=FIELD_NAMES) for each in (item, *others)]
    code, words = entries[0].code, entries[0].words
    return Failure(
        operation=operation,
        status=answer.status,
        code=code,
        words=words,
        request_id=entries[0].request_id or answer.request_id,
        retry_after=_pause(answer, code, words),
        # The first error about a field wins.
        fields={entry.field: entry.words for entry in reversed(entries) if entry.field},
        entries=tuple(entry for entry in entries if entry.code or entry.words or entry.field),
        body=answer.body,
    )


def _pause(answer: Answer, code: str, words: str) -> float | None:
    minutes = _MINUTES.search(words)
    if code == "link_refreshed" and minutes:
        return int(minutes[1]) * 60.0
    if code == "too_many_sessions" and answer.retry_after is None:
        return 120.0  # as documented
    return answer.retry_after


def _meaning(failure: Failure, message: object) -> tuple[type[ProviderError], Cause | None]:
    if failure.status == 408 or failure.status >= 500:
        return OutcomeUnknown, None
    if failure.code == "login_error":
        return _login_error(message)
    if failure.code in CODES:
        return CODES[failure.code]
    if failure.status == 400 and failure.fields and not failure.code:
        return InvalidInput, None
    return STATUSES.get(failure.status, Rejected), None


def _login_error(message: object) -> tuple[type[ProviderError], Cause]:
    # Unredacted: cleaned text may be withheld.
    said = str(message)[:MAX_WORDS].casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for phrase, error, cause in LOGIN_ERRORS:
        if phrase in said:
            return error, cause
    return LOGIN_ERROR_ELSE


def _code_required(answer: Answer, failure: Failure, link_id: str) -> ProviderError:
    items = mappings(answer.data) or [mapping(answer.data)]
    item = next((item for item in items if "session" in item), items[0])
    session = item.get("session")
    remote_link_id = link_id or answer.identifier(item.get("link"), shape=UUID)
    if not isinstance(session, str) or not _SESSION.fullmatch(session) or not remote_link_id:
        raise ValueError("a login attempt that cannot be resumed")
    data = mapping(item.get("token_generation_data"))
    value, instructions = _challenge_value(answer, data.get("value")), answer.words(data.get("instructions"))
    expects_input = _expects_input(data)
    written_kind = data.get("type")
    challenge = Challenge(
        session=Secret(session),
        remote_link_id=remote_link_id,
        expires_in=min(count(item.get("expiry")) or _DEFAULT_EXPIRY, _MAX_EXPIRY),
        kind=_kind(str(written_kind or "")[:MAX_WORDS], value, instructions, expects_input=expects_input),
        instructions=instructions,
        value=value,
        expects_input=expects_input,
        written_kind=answer.words(written_kind),
        label=answer.words(data.get("label")),
        pattern=answer.words(data.get("validation")),
    )
    return CodeRequired(failure, challenge)


def _challenge_value(answer: Answer, value: object) -> str:
    # A picture isn't checked for echoes: long data contains short secrets by chance.
    shown = picture(value) if isinstance(value, str) and len(value) <= _MAX_PICTURE else None
    return shown.uri if shown else answer.words(value, limit=_MAX_CHALLENGE)


def _expects_input(data: Mapping[str, object]) -> bool:
    # The API reference has "expects", the guide "expect".
    answers = (data.get("expects_user_input"), data.get("expect_user_input"))
    return not any(str(said).casefold() == "false" for said in answers)


def _kind(written: str, value: str, instructions: str, *, expects_input: bool) -> ChallengeKind:
    # Only "numeric" is documented as a value; anything unknown is shown as text.
    word = written.casefold()
    if "qr" in word and value:
        return ChallengeKind.QR
    if not expects_input:
        return ChallengeKind.APPROVE
    if "numeric" in word:
        return ChallengeKind.NUMERIC
    is_code = any(name in word for name in _CODE_WORDS)
    return ChallengeKind.TEXT if value or (instructions and not is_code) else ChallengeKind.CODE
