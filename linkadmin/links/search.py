"""Search of links, customers and institutions by any part of a name or ID. A term that begins an ID finds only IDs.

A link has to have each word in its own text, or in its institution's name, which can change. Staff who may not see
names find only IDs, by their beginning.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.lookups import In

from linkadmin.ids import as_uuid
from linkadmin.providers.names import folded
from linkadmin.search.lookups import (
    Select,
    among,
    begins,
    begins_id,
    found_by,
    is_many,
    listed,
    looked_up,
    unindexed,
)
from linkadmin.search.text_index import TextIndex, contains, is_indexed

from .models import CustomerContact, EndUser, Institution, Link, LinkSearch

MAX_WORDS = 6
MAX_SAMPLED = 200
LINKS, CUSTOMERS = TextIndex(LinkSearch, "text"), TextIndex(EndUser, "search")
CONTACTS, INSTITUTIONS = TextIndex(CustomerContact, "search"), TextIndex(Institution, "search")
INDEXES = (LINKS, CUSTOMERS, CONTACTS, INSTITUTIONS)
_PHONE = re.compile(r"[+(]{0,2}\d[\d\s().\-/]{5,}")
_ID = re.compile(r"(?=\S*\d)(?=\S*[^\s\d])\S{6,}")


def clean_words(text: str) -> str:
    # PostgreSQL rejects NUL.
    return text.replace("\0", "").strip()[:200]


def may_be_id(words: str) -> bool:
    """Whether it's one word of six or more, with a digit and something else. Names rarely look like this."""
    return _ID.fullmatch(words) is not None


def is_too_short(words: str) -> bool:
    """Without three letters or digits in a row, only the beginnings of IDs are searched."""
    return bool(words) and not any(map(is_indexed, _folded(words)))


def search(links: "QuerySet[Link]", words: str, *, see_names: bool) -> "QuerySet[Link]":
    return found(links, words, see_names=see_names)[0]


def found(links: "QuerySet[Link]", words: str, *, see_names: bool) -> "tuple[QuerySet[Link], bool]":
    """Return the links that a search finds, and whether they're few enough to sort."""
    if not words:
        return links, False
    if not see_names or is_too_short(words):
        return _with_ids(links, words)
    if may_be_id(words) and not (with_id := _with_ids(links, words))[0].query.is_empty():
        return with_id
    wanted = _wanted(words)
    with_short_words = links.filter(*(word.condition for word in wanted if not is_indexed(word.text)))
    selects = [_select(banks, rest) for banks, rest in _readings(wanted)]
    some = [select for select in selects if select]
    if len(some) == len(selects) and (rows := listed(with_short_words, some)) is not None:
        return rows
    # Institutions of links are read last: most links lack the other words.
    return links.filter(*(word.condition for word in sorted(wanted, key=lambda word: len(word.banks)))), False


def find_by_id(links: "QuerySet[Link]", text: str) -> Link | None:
    by_customer = links.filter(end_user__in=EndUser.objects.filter(external_id=text))
    by_own_id = [links.filter(pk=pasted)] if (pasted := as_uuid(text)) else []
    found = list(links.filter(remote_id=text).union(by_customer, *by_own_id)[:2])
    return found[0] if len(found) == 1 else None


def search_customers(words: str, *, see_names: bool) -> "QuerySet[EndUser]":
    return found_customers(words, see_names=see_names)[0]


def found_customers(words: str, *, see_names: bool) -> "tuple[QuerySet[EndUser], bool]":
    """Return the customers that a search finds, and whether they're few enough to sort."""
    customers = EndUser.objects.all()
    if not words:
        return customers, False
    if not see_names or is_too_short(words):
        with_ids = customers.filter(*(begins("external_id", word).indexed for word in words.split()[:MAX_WORDS]))
        return with_ids, not is_many(Select.of(with_ids.values("pk")))
    if may_be_id(words) and not (with_id := looked_up(customers, [begins("external_id", words)]))[0].query.is_empty():
        return with_id
    if (phone := _phone_in(words)) and not (with_phone := _reached(customers, [phone]))[0].query.is_empty():
        return with_phone
    wanted = _folded(words)
    indexed = [word for word in wanted if is_indexed(word)]
    conditions = {word: Q(contains(F("search"), word)) for word in wanted}
    with_short_words = customers.filter(*(conditions[word] for word in wanted if word not in indexed))
    # If names have the words too often to list, contact details aren't worth a look.
    selects = [CUSTOMERS.select(indexed), CONTACTS.select(indexed)]
    found = listed(with_short_words, selects)
    return (with_short_words.filter(*conditions.values()), False) if found is None else found


def some_customers(words: str, most: int) -> list[EndUser]:
    """A few customers that a search finds, by name. Of very many, any: finding the first takes too long."""
    wanted = _folded(words)
    indexed = [word for word in wanted if is_indexed(word)]
    if may_be_id(words) or _phone_in(words) or not indexed:
        return list(search_customers(words, see_names=True).order_by("name", "external_id")[:most])
    keys = [*CUSTOMERS.select(indexed).some(MAX_SAMPLED), *CONTACTS.select(indexed).some(MAX_SAMPLED)]
    customers = EndUser.objects.filter(pk__in=keys).order_by("name", "external_id")
    found = list(customers.filter(*(Q(contains(F("search"), word)) for word in wanted if word not in indexed))[:most])
    if len(found) == most or len(keys) < MAX_SAMPLED:
        return found
    return list(search_customers(words, see_names=True).order_by("name", "external_id")[:most])


def search_institutions(words: str, institutions: "QuerySet[Institution] | None" = None) -> "QuerySet[Institution]":
    return _named(Institution.objects.all() if institutions is None else institutions, _folded(words))


def _named(institutions: "QuerySet[Institution]", words: Sequence[str]) -> "QuerySet[Institution]":
    """There are at most some thousand, so short words are looked for in each."""
    conditions = {word: Q(contains(F("search"), word)) for word in words}
    indexed = [word for word in words if is_indexed(word)]
    with_short_words = institutions.filter(*(conditions[word] for word in words if word not in indexed))
    if not indexed:
        return with_short_words
    return among(with_short_words, [INSTITUTIONS.select(indexed)], otherwise=Q(*conditions.values()))


@dataclass(frozen=True)
class _Word:
    text: str
    banks: frozenset[UUID]  # institutions that have it in their name
    in_links: bool  # whether the text of a link may have it

    @cached_property
    def in_text(self) -> Q:
        text = Subquery(LinkSearch.objects.filter(link=OuterRef("pk")).values("text"))
        return Q(LINKS.tested(text, self.text))

    @property
    def condition(self) -> Q:
        if not self.banks:
            return self.in_text
        # In this order, the text is only read for links of other institutions.
        named = Q(In(unindexed("institution"), list(self.banks)))
        return named | self.in_text if self.in_links else named


def _wanted(words: str) -> list[_Word]:
    texts, every = _folded(words), Institution.objects.order_by()
    banks = [frozenset(_named(every, [text]).values_list("pk", flat=True)) for text in texts]
    # Together with other words, a name that no link's text has would be looked for in all of them.
    unsure = [text for text, named in zip(texts, banks, strict=True) if named and is_indexed(text) and len(texts) > 1]
    exists = dict(zip(unsure, found_by([LINKS.select([text]) for text in unsure]), strict=True)) if unsure else {}
    return [_Word(text, named, exists.get(text, True)) for text, named in zip(texts, banks, strict=True)]


def _phone_in(words: str) -> str:
    """Its digits, as they're stored."""
    return re.sub(r"\D", "", words) if _PHONE.fullmatch(words) else ""


def _reached(customers: "QuerySet[EndUser]", words: Sequence[str]) -> "tuple[QuerySet[EndUser], bool]":
    """Customers with these words in their contact details; none, if too many have them."""
    return listed(customers, [CONTACTS.select(words)]) or (customers.none(), True)


def _folded(words: str) -> list[str]:
    return list(dict.fromkeys(plain for word in words.split()[:MAX_WORDS] if (plain := folded(word))))


def _readings(words: Sequence[_Word]) -> list[tuple[frozenset[UUID] | None, list[_Word]]]:
    """Every way to find the words: some in the name of an institution, the rest in a link's text."""
    readings: list[tuple[frozenset[UUID] | None, list[_Word]]] = [(None, [])]
    for word in words:
        named = [(word.banks if banks is None else banks & word.banks, rest) for banks, rest in readings]
        in_links = [(banks, [*rest, word]) for banks, rest in readings] if word.in_links else []
        readings = [*in_links, *((banks, rest) for banks, rest in named if banks)]
    return readings


def _select(banks: frozenset[UUID] | None, words: Sequence[_Word]) -> Select | None:
    """Select links that may match a reading, or return None if too many have each of its parts."""
    indexed = [word for word in words if is_indexed(word.text)]
    texts = [word.text for word in indexed]
    if banks is None:
        return LINKS.select(texts)
    there = Link.objects.filter(institution__in=banks).values("pk")
    if not indexed:
        return Select.of(there)
    if not is_many(Select.of(there)):
        return Select.of(there.filter(*(word.in_text for word in indexed)))
    with_words = LINKS.select(texts)
    if not is_many(with_words):
        return Select.of(there.filter(pk__in=RawSQL(with_words.sql, with_words.params)))  # noqa: S611
    return None


def _customer_id() -> Subquery:
    return Subquery(EndUser.objects.filter(pk=OuterRef("end_user")).values("external_id"))


def _with_ids(links: "QuerySet[Link]", words: str) -> "tuple[QuerySet[Link], bool]":
    are_few = False
    for word in words.split()[:MAX_WORDS]:
        own = begins_id("pk", word)
        others = [begins("remote_id", word), begins("data_source_id", word)]
        customer = begins("end_user__external_id", word, tested=_customer_id())
        links, few = looked_up(links, [*([own] if own else []), *others, customer])
        are_few = are_few or few
    return links, are_few
