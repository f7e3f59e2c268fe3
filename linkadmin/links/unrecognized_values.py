"""Provider values that our tables lack: stored with a count, so that we can add them.

A value counts once per change of a link, not per read: a link that is read hourly would outweigh the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Greatest, Least, Substr
from django.db.models.lookups import In

from linkadmin.compiled_query import CompiledQuery
from linkadmin.integrations.models import Integration
from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.providers.http.redaction import WITHHELD
from linkadmin.providers.types import Cause, Observation
from linkadmin.search.lookups import unindexed

from .models import TROUBLED, Link, UnrecognizedValue

Place = UnrecognizedValue.Place

# Where the unrecognized value is: the first of these fields that has one.
PLACES: Mapping[Cause, tuple[Place, ...]] = {
    Cause.UNRECOGNIZED: (Place.STATUS, Place.CODE, Place.WORDS),
    Cause.SOURCE_UNKNOWN: (Place.STATUS,),
    Cause.ERROR_UNRECOGNIZED: (Place.CODE, Place.WORDS),
    Cause.ERROR_UNNAMED: (Place.WORDS,),
    Cause.LOGIN_UNCLEAR: (Place.WORDS,),
}
COLUMNS = {Place.STATUS: "raw_status", Place.CODE: "raw_code", Place.WORDS: "raw_words"}
LONGEST = {Place.STATUS: 60, Place.CODE: 80, Place.WORDS: 200}  # characters
MOST_PER_PLACE = 500  # values of one provider, in case it never sends the same one twice


@dataclass(frozen=True, slots=True)
class Word:
    """An unrecognized value, and the field it was in."""

    place: Place
    value: str


def word_of(provider: str, seen: Observation) -> Word | None:
    known = provider_class(provider).statuses if provider in PROVIDERS else frozenset()
    for place in PLACES.get(seen.cause, ()):
        value = str(getattr(seen, COLUMNS[place]))[: LONGEST[place]]
        # A link keeps its status beside an error we don't recognize.
        is_kept = seen.cause is Cause.UNRECOGNIZED and place is Place.STATUS and value in known
        if value and value != WITHHELD and not is_kept:
            return Word(place, value)
    return None


def news(link: Link, seen: Observation) -> Word | None:
    """Call it before the link takes over the observation. None if the link has the value already."""
    word = word_of(link.integration.provider, seen)
    if word is None:
        return None
    said = getattr(link, COLUMNS[word.place])[: LONGEST[word.place]]
    return None if link.cause == seen.cause.value and said == word.value else word


def count(integration: Integration, word: Word, *, at: datetime, link: Link | None = None) -> None:
    """`link` is None for something that isn't a link yet."""
    seen_by = {"environment": integration.environment, "provider": integration.provider, "place": word.place}
    known = UnrecognizedValue.objects.filter(**seen_by)
    if not known.filter(value=word.value).exists() and known.count() >= MOST_PER_PLACE:
        return
    row, _ = UnrecognizedValue.objects.get_or_create(
        **seen_by, value=word.value, defaults={"first_at": at, "last_at": at}
    )
    UnrecognizedValue.objects.filter(pk=row.pk).update(
        seen=F("seen") + 1, first_at=Least("first_at", at), last_at=Greatest("last_at", at), last_link=link
    )


def note_refusal(integration: Integration, seen: Observation, *, at: datetime) -> None:
    if word := word_of(integration.provider, seen):
        count(integration, word, at=at)


def showing(links: "QuerySet[Link]", known: UnrecognizedValue) -> "QuerySet[Link]":
    of_provider = Integration.objects.filter(environment=known.environment, provider=known.provider)
    said = _saying(links, Place(known.place)).filter(said=known.value)
    return said.filter(
        In(unindexed("integration"), list(of_provider.values_list("pk", flat=True)))
    )  # these few links, not all of the integrations


def counted(environment: str) -> dict[tuple[str, str, str], int]:
    """How many active links have each value. Keys are provider, field and value."""
    return {(provider, place, value): links for provider, place, value, links in _COUNTED.rows(environment)}


def _saying(links: "QuerySet[Link]", place: Place) -> "QuerySet[Any]":
    first = [cause.value for cause, places in PLACES.items() if places[0] is place]
    later = [cause.value for cause, places in PLACES.items() if place in places[1:]]
    # A link keeps its status beside every error.
    fitting = TROUBLED & Q(cause__in=[*first, *later])
    if place is Place.WORDS:  # an error's message counts only if it has no code
        fitting &= Q(cause__in=first) | Q(raw_code="")
    return links.filter(fitting).annotate(said=Substr(COLUMNS[place], 1, LONGEST[place])).exclude(said="")


def _counted(environment: str) -> "QuerySet[Any]":
    here = In(unindexed("environment"), [environment])  # of these few links, not all that are there
    live = Link.objects.filter(here, disconnected_at=None).order_by()
    first: QuerySet[Any]
    first, *others = [
        _saying(live, place).values_list("integration__provider", Value(place.value), "said").annotate(n=Count("pk"))
        for place in Place
    ]
    return first.union(*others, all=True)


_COUNTED = CompiledQuery(_counted, types=(str,))
