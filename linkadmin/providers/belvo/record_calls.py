"""Belvo's institutions and the consents of open finance.

https://developers.belvo.com/apis/belvoopenapispec
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from linkadmin.providers.base import Provider
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.records import Filters, LeftOut, RemoteConsent, RemotePage
from linkadmin.providers.types import LinkRef, RemoteInstitution

from . import records as parsers
from .filters import params_for

T = TypeVar("T")

PAGE_SIZE = 100
_MAX_PAGES = 200  # stops at a list that never ends
_MAX_CONSENT_PAGES = 20


class BelvoRecordCalls(Provider):
    """Calls that aren't about links, and paging."""

    def list_institutions(self, left_out: list[LeftOut] | None = None) -> Iterator[RemoteInstitution]:
        for number in range(1, _MAX_PAGES + 1):
            page = self._page("list_institutions", "/api/institutions/", {}, number, parse=parsers.institution_of)
            yield from page.items
            if left_out is not None:
                left_out += page.left_out
            if page.is_last:
                return

    def find_institutions(self, filters: Filters, *, page: int = 1) -> RemotePage[RemoteInstitution]:
        params = params_for(filters, self.institution_filters)
        return self._page("find_institutions", "/api/institutions/", params, page, parse=parsers.institution_of)

    def read_institution(self, remote_id: str) -> RemoteInstitution:
        return self._call(
            "read_institution",
            "GET",
            "/api/institutions/{}/",
            remote_id,
            read=partial(parsers.institution, expected_id=remote_id),
        )

    def list_consents(self, link: LinkRef) -> list[RemoteConsent]:
        # The link filter isn't documented for this list. If Belvo ignores it, we drop consents of other links.
        # Omits whose consent it is and what it allows.
        params = {"page_size": "1000", "link": link.remote_id, "omit": "display_name,document_number,permissions"}
        found: list[RemoteConsent] = []
        for number in range(1, _MAX_CONSENT_PAGES + 1):
            page = self._page("list_consents", "/api/consents/", params, number, parse=parsers.consent_of)
            found += [consent for consent in page.items if consent.remote_link_id == link.remote_id]
            if page.is_last:
                break
        return sorted(found, key=lambda each: each.created_at.timestamp() if each.created_at else 0.0, reverse=True)

    def _page(
        self,
        call: str,
        path: str,
        params: Mapping[str, str],
        number: int,
        *,
        parse: Callable[[Answer, Mapping[str, object]], T],
    ) -> RemotePage[T]:
        # Never follows Belvo's "next": it could send our keys to another host.
        paging = {"page": str(number), "page_size": str(PAGE_SIZE)}
        read = partial(parsers.page, parse=parse, number=number)
        return self._call(call, "GET", path, params={**paging, **params}, read=read)
