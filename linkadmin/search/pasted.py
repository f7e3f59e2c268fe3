"""What somebody typed or pasted: words to search for, and the IDs in a URL, an error message or a log line."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from linkadmin.ids import as_uuid
from linkadmin.providers.names import folded

from .text_index import is_indexed

MAX_TEXT = 4_000  # characters
MAX_SEARCHED = 200  # of words
MAX_NAME = 6  # words
MAX_IDS = 20  # of one text
_UUID = re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.IGNORECASE)
# "request_id": "…", item_id=…, X-Request-Id: …, with quotes that may be escaped
_NAMED = re.compile(
    r"[\w-]{0,40}(?:id|link|item)\\?[\"']?\s{0,3}[:=]\s{0,3}\\?[\"']?([^\s\"'\\,;{}\[\]()&]{3,140})", re.I
)
_WORD = re.compile(r"[^\W_][\w.-]{5,139}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d|v?\d+(?:\.\d+)+$")
_PASSAGE = re.compile(r"[{}\[\]\"=\n]|\b\w*id: ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pasted:
    words: str = ""  # of a name, or the beginning of an ID
    ids: tuple[str, ...] = ()  # whole IDs, each in every form that may be stored
    path: str = ""  # path and query of a URL of ours

    @property
    def uuids(self) -> list[UUID]:
        return list({found for each in self.ids if (found := as_uuid(each))})

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.ids or self.path)

    @property
    def is_too_short(self) -> bool:
        """Whether words are neither part of a name nor an ID, as no index finds them."""
        return not self.ids and not any(map(is_indexed, folded(self.words).split()))


def read(text: str, *, host: str = "") -> Pasted:
    """`host` is ours, to recognize our URLs."""
    text = text.replace("\0", "").strip()[:MAX_TEXT]
    if (url := _url(text, host)) is not None:
        return url
    if _PASSAGE.search(text) or len(text.split()) > MAX_NAME or len(text) > MAX_SEARCHED:
        if ids := _spellings(_ids(text)):
            return Pasted(ids=ids)
        return Pasted(words=text[:MAX_SEARCHED])
    return Pasted(words=text, ids=_spellings([text] if _may_be_id(text) else []))


def _url(text: str, host: str) -> Pasted | None:
    """IDs are looked for in URLs of other hosts, too. No name is ever in one of ours."""
    if len(text.split()) != 1 or not text.startswith(("/", "http://", "https://")):
        return None
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    ids = _spellings(_UUID.findall(text))
    if url.netloc not in ("", host):
        return Pasted(ids=ids) if ids else None
    return Pasted(ids=ids, path=f"{url.path}?{url.query}" if url.query else url.path)


def _ids(text: str) -> Iterator[str]:
    """The most certain first."""
    yield from _NAMED.findall(text)
    yield from _UUID.findall(text)
    yield from filter(_may_be_id, _WORD.findall(text))


def _may_be_id(word: str) -> bool:
    has_both = any(char.isdigit() for char in word) and any(not char.isdigit() for char in word)
    return has_both and len(word) >= 6 and len(word.split()) == 1 and not _TIME.match(word)


def _spellings(ids: Iterable[str]) -> tuple[str, ...]:
    """UUIDs with and without hyphens: providers write both."""
    found: dict[str, None] = {}
    for each in (each.rstrip(".:") for each in ids):
        pk = as_uuid(each)
        found |= dict.fromkeys([each, str(pk), pk.hex] if pk else [each])
    return tuple(found)[: 3 * MAX_IDS]
