"""Heron Data: links to banks through Plaid, one per customer's connection.

https://docs.herondata.io/api-reference
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import ClassVar

from .base import InstitutionFields, Provider
from .errors import (
    BLOCK_SECONDS,
    Busy,
    Duplicate,
    Failure,
    InvalidInput,
    KeysRefused,
    NotFound,
    ProviderError,
    Rejected,
)
from .http import IDENTIFIER, MAX_IDENTIFIER, MAX_RETRY_AFTER, Answer
from .plaid_codes import CAUSES, cause_of
from .reading import count, mapping, moment, records, required_mapping
from .types import (
    Capability,
    Cause,
    ConnectionReport,
    CredentialField,
    FieldKind,
    LinkRef,
    NewLink,
    Observation,
    RemoteLink,
    Secret,
)

# "[ITEM_LOGIN_REQUIRED] the login details of this item have changed"
_BRACKETED = re.compile(r"\s*\[([A-Z0-9_]+)\]")

# Plaid pulls at least daily; an asset report is a snapshot and never stale by itself.
FRESH_FOR: Mapping[str, timedelta] = {"plaid_integration": timedelta(days=3)}


class Heron(Provider):
    """Heron's API, spoken with the key of one account, for one of its integrations."""

    kind = "heron"
    label = "Heron Data"
    capabilities = frozenset({Capability.CREATE})
    allowed_hosts = frozenset({"app.herondata.io"})
    remote_id_label = "Item id"
    config_fields = (
        CredentialField("api_key", "API key", FieldKind.PASSWORD, secret=True, placeholder="key_…"),
        CredentialField(
            "integration_id",
            "Integration id",
            pattern=r"^itg_[A-Za-z0-9_-]+$",
            pattern_message="An integration id begins with itg_",
            placeholder="itg_…",
        ),
    )

    # https://docs.herondata.io/api-reference/integrations/get-integration-links
    STATUS_CAUSES: ClassVar[Mapping[str, Cause]] = {
        "pending": Cause.PENDING,
        "active": Cause.WORKING,
        "syncing": Cause.SYNCING,
        "sync_disabled": Cause.SWITCHED_OFF,
        "deleted_in_plaid": Cause.GONE,
        "unknown": Cause.SOURCE_UNKNOWN,
    }
    # https://docs.herondata.io/api-reference/errors
    STATUS_ERRORS: ClassVar[Mapping[int, type[ProviderError]]] = {
        400: InvalidInput,
        401: KeysRefused,
        403: KeysRefused,
        404: NotFound,
        409: Duplicate,
        422: InvalidInput,
        429: Busy,
    }

    def test_connection(self) -> ConnectionReport:
        """Ask for the greeting that only a good key gets."""
        return self._call("test_connection", "GET", "/api/hello_world/authenticated", read=_report)

    @classmethod
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return what the exchange of Plaid's public token gave."""
        return (
            CredentialField(
                "item_id",
                "Item id",
                pattern=f"^{IDENTIFIER}$",
                pattern_message="An item id has only letters, digits and _ . : = -",
                help_text="Plaid's item_id; capital and small letters differ.",
                max_length=MAX_IDENTIFIER,
                identifies=True,
            ),
            CredentialField("access_token", "Access token", FieldKind.PASSWORD, secret=True),
        )

    def create_link(self, new_link: NewLink) -> RemoteLink:
        """Tell Heron of a connection made at Plaid. It is not made twice by being told twice."""
        body = {
            "access_token": new_link.values.get("access_token", ""),
            "end_user_id": new_link.end_user_id,
            "end_user_name": new_link.end_user_name,
            "item_id": new_link.values.get("item_id", ""),
        }
        return self._call(
            "create_link",
            "POST",
            "/api/integrations/{}/links",
            self.options["integration_id"],
            json={name: value for name, value in body.items() if value},
            deadline=self.deadlines.change,
            read=_created_link,
            refuse=self._refuse_create,
        )

    def read_link(self, link: LinkRef) -> RemoteLink:
        """Find one link in its customer's list: Heron has no call for a single one."""
        if found := self._find_listed("read_link", link):
            return found[0]
        failure = Failure(self._operation("read_link"), reason="not_listed")
        raise NotFound(failure, Observation(cause=Cause.MISSING))

    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        """Return the customer's link with this item id, if Heron has it."""
        try:
            return self._find_listed("find_link", LinkRef(remote_id, end_user_id))
        except NotFound:
            return []  # the customer is unknown too, so nothing was created for them

    def _find_listed(self, call: str, link: LinkRef) -> list[RemoteLink]:
        path, read = "/api/end_users/{}/integration_links", partial(_listed, item_id=link.remote_id)
        return self._call(call, "GET", path, link.end_user_id, read=read)

    def _key_headers(self) -> Mapping[str, Secret]:
        return {"x-api-key": self.secrets["api_key"]}

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        body = mapping(answer.data)
        description = body.get("description", body.get("message"))
        failure = Failure(
            operation=operation,
            status=answer.status,
            code=answer.words(body.get("name")),
            words=answer.words(description),
            request_id=answer.request_id,
            retry_after=_pause(answer),
            fields=_field_errors(answer, description),
        )
        error = self.STATUS_ERRORS.get(answer.status, Rejected)
        observation = Observation(cause=Cause.WRONG_ID, raw_words=failure.words) if error is NotFound else None
        return error(failure, observation)

    def _refuse_create(self, operation: str, answer: Answer) -> ProviderError:
        # No status is documented for an item that is known already: 409, and 422 without fields, are its likely forms.
        error = self._refuse(operation, answer)
        if answer.status == 409 or (answer.status == 422 and error.failure.words):
            return Duplicate(error.failure)
        return error


_STATUSES = frozenset({*Heron.STATUS_CAUSES, "erroring"})


def _report(answer: Answer) -> ConnectionReport:
    greeting = answer.words(required_mapping(answer.data).get("hello"))
    return ConnectionReport(detail=greeting, duration_ms=answer.duration_ms)


def _created_link(answer: Answer) -> RemoteLink:
    return _link(answer, required_mapping(required_mapping(answer.data).get("link")))


def _listed(answer: Answer, *, item_id: str) -> list[RemoteLink]:
    """Find one link in a customer's list. Raises ValueError if it is not there but an odd record may be it."""
    listed = required_mapping(answer.data).get("links")
    if not isinstance(listed, list):
        raise ValueError("the list of links is missing")
    links, odd = records(listed, partial(_link, answer))
    found = [link for link in links if link.remote_id == item_id]
    # What is not listed counts as gone, or as never made: an odd record must not prove that.
    if not found and any(_may_be(record, item_id) for record in odd):
        raise ValueError("the link may be a record that cannot be read")
    return found


def _may_be(record: object, item_id: str) -> bool:
    named = mapping(record).get("item_id")
    return not isinstance(named, str) or named in {"", item_id}


def _link(answer: Answer, link: Mapping[str, object]) -> RemoteLink:
    item_id = answer.identifier(link.get("item_id"))
    if not item_id or not isinstance(link.get("status"), str):
        raise ValueError("a link without item_id or status")
    return RemoteLink(
        remote_id=item_id,
        observation=_observe(answer, link),
        kind=answer.identifier(link.get("type"), longest=40),
        data_source_id=answer.identifier(link.get("data_source_heron_id"), longest=80),
        created_at=moment(link.get("created")),
        last_accessed_at=moment(link.get("last_successful_sync")),
        fresh_for=FRESH_FOR.get(str(link.get("type"))),
        request_id=answer.request_id,
    )


def _observe(answer: Answer, link: Mapping[str, object]) -> Observation:
    status, message = answer.term(link.get("status"), _STATUSES), link.get("status_message")
    bracketed = _BRACKETED.match(message) if isinstance(message, str) else None
    code = answer.term(bracketed[1], CAUSES) if bracketed else ""
    last_good_at = moment(link.get("last_successful_sync"))
    return Observation(
        cause=_cause(status, code, synced=last_good_at is not None),
        raw_status=status,
        raw_code=code,
        raw_words=answer.words(message),
        last_good_at=last_good_at,
        conflict=status == "active" and bool(code),
    )


def _cause(status: str, code: str, *, synced: bool) -> Cause:
    if status == "erroring":
        return (cause_of(code) or Cause.ERROR_UNRECOGNISED) if code else Cause.ERROR_UNNAMED
    if status == "active" and code:
        return Cause.WORKING_WITH_ERROR
    if status == "syncing" and not synced:
        return Cause.FIRST_SYNC
    return Heron.STATUS_CAUSES.get(status, Cause.UNRECOGNISED)


def _pause(answer: Answer) -> float | None:
    if answer.status in {401, 403}:
        # A wrong key stays wrong; a 403 has no code that tells a missing right from a firewall.
        return BLOCK_SECONDS if answer.status == 403 else None
    # https://docs.herondata.io/faqs/rate-limits-429-errors: the moment of the reset, in seconds since 1970
    reset = count(answer.headers.get("x-ratelimit-reset")) if answer.status == 429 else None
    if reset is None:
        return answer.retry_after
    return min(max(reset - answer.received_at.timestamp(), 1.0), MAX_RETRY_AFTER)


def _field_errors(answer: Answer, description: object) -> dict[str, str]:
    """Return what a 422 says about each field; under "" what it says about the whole."""
    found: dict[str, str] = {}
    for place in mapping(description).values():  # "json" or "query"
        for name, said in _leaves(place):
            found.setdefault(answer.words(name), answer.words(said))
    return found


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, name if key == "_schema" else key)
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child, name)
    else:
        yield name, value
