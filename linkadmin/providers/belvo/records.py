"""Parses Belvo's institutions and consents, and pages of any list.

Raises ValueError for a response without the record or list it should have.

https://developers.belvo.com/apis/belvoopenapispec/institutions
https://developers.belvo.com/apis/belvoopenapispec/consents
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from linkadmin.providers.http.answer import Answer
from linkadmin.providers.reading import (
    MAX_FIELDS,
    Unusable,
    Why,
    count,
    day,
    is_day,
    listed,
    mapping,
    mappings,
    moment,
    required_list,
    required_mapping,
)
from linkadmin.providers.records import RemoteConsent, RemotePage, expect_id, named
from linkadmin.providers.types import Cause, Observation, RemoteInstitution

from .filters import RESOURCES

T = TypeVar("T")

CONSENT_CAUSES: Mapping[str, Cause] = {
    "AUTHORISED": Cause.WORKING,
    "AWAITING_AUTHORISATION": Cause.CONSENT_UNFINISHED,
    "AWAITING_AUTHORISATION_CONFIRMATION": Cause.CONSENT_UNFINISHED,
    "REJECTED": Cause.CONSENT_REJECTED,
    "EXPIRED": Cause.PORTAL_CONSENT_EXPIRED,
}

_ENDS = ("expired_at", "expires_at", "expiration_date")  # under one of these names
_MAX_ADDRESS = 300  # characters


def results(answer: Answer) -> list[object]:
    return required_list(required_mapping(answer.data).get("results"))


def page(answer: Answer, *, parse: Callable[[Answer, Mapping[str, object]], T], number: int) -> RemotePage[T]:
    on_page, said = results(answer), required_mapping(answer.data)
    found, odd = listed(on_page, partial(parse, answer))
    return RemotePage(
        items=tuple(found),
        number=number,
        is_last=not on_page or not said.get("next"),
        total=count(said.get("count")),
        left_out=named(answer, odd, "name", "display_name", "id"),
    )


def names_in(answer: Answer, value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else []
    return tuple(name for word in names if (name := answer.term(word, RESOURCES)))


def institution(answer: Answer, *, expected_id: str) -> RemoteInstitution:
    return expect_id(institution_of(answer, required_mapping(answer.data)), expected_id)


def institution_of(answer: Answer, item: Mapping[str, object]) -> RemoteInstitution:
    name, countries = answer.identifier(item.get("name")), item.get("country_codes")
    if not name:
        raise Unusable(Why.ID_UNUSABLE if item.get("name") else Why.NO_ID)
    country = countries[0] if isinstance(countries, list) and countries else item.get("country_code")
    return RemoteInstitution(
        remote_id=str(count(item.get("id")) or ""),
        name=name,
        display_name=answer.name(item.get("display_name")) or name,
        kind=answer.words(item.get("type")),
        country=answer.words(country),
        status=answer.words(item.get("status")),
        integration_type=answer.words(item.get("integration_type")),
        features=tuple(answer.words(feature.get("name")) for feature in mappings(item.get("features"))),
        resources=names_in(answer, item.get("resources")),
        form_fields=tuple(_cleaned_field(answer, field) for field in mappings(item.get("form_fields"))[:MAX_FIELDS]),
        logo_url=_address(answer, item.get("logo")) or _address(answer, item.get("icon_logo")),
        website=_address(answer, item.get("website")),
    )


def _address(answer: Answer, value: object) -> str:
    said = answer.words(value)
    return said if said.startswith("https://") and len(said) <= _MAX_ADDRESS else ""


def consent_of(answer: Answer, item: Mapping[str, object]) -> RemoteConsent:
    # The customer's name and document number aren't read.
    consent_id = answer.identifier(_first(item, "id", "consent_id"))
    if not consent_id:
        raise ValueError("a consent without an id")
    status = answer.term(item.get("status"), CONSENT_CAUSES)
    cause = CONSENT_CAUSES.get(status, Cause.UNRECOGNIZED)
    expires = None if _is_endless(item) else _first(item, *_ENDS)
    link = _first(item, "link_id", "link")
    return RemoteConsent(
        remote_id=consent_id,
        remote_link_id=answer.identifier(mapping(link).get("id", link)),
        status=status,
        observation=Observation(
            cause=cause,
            raw_status=status,
            renew_by=day(expires) if cause is Cause.WORKING else None,
            renewal_known=cause is Cause.WORKING and _tells_its_end(item),
        ),
        created_at=moment(item.get("created_at")),
        expires_at=day(expires) if is_day(expires) else moment(expires),
        request_id=answer.request_id,
    )


def _is_endless(item: Mapping[str, object]) -> bool:
    return item.get("undefined_consent_expiration") is True


def _tells_its_end(item: Mapping[str, object]) -> bool:
    # Also true if it says that it doesn't end; false if we can't read that.
    said = [item[name] for name in _ENDS if item.get(name) is not None]
    return _is_endless(item) or (day(said[0]) is not None if said else any(name in item for name in _ENDS))


def _first(item: Mapping[str, object], *names: str) -> object:
    # Belvo has changed the names in its documents before.
    return next((item[name] for name in names if item.get(name) is not None), None)


def _cleaned_field(answer: Answer, field: Mapping[str, object]) -> Mapping[str, object]:
    cleaned: dict[str, object] = {}
    for key, value in field.items():
        if key == "values":
            cleaned[answer.words(key)] = [_cleaned_field(answer, choice) for choice in mappings(value)]
        elif isinstance(value, str):
            cleaned[answer.words(key)] = answer.words(value)
        elif value is None or isinstance(value, bool | int | float):
            cleaned[answer.words(key)] = value
    return cleaned
