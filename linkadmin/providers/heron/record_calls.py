"""Heron's customers, data sources, connectors and webhook subscriptions.

https://docs.herondata.io/api-reference
"""

from functools import partial
from itertools import chain

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Duplicate, OutcomeUnknown, ProviderError
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.records import (
    Filters,
    RemoteConnector,
    RemoteDataSource,
    RemoteEndUser,
    RemotePage,
    RemoteWebhook,
    params_of,
)

from . import forms
from . import records as parsers

_PAGE = 100
_LONG_PAGE = 500  # about 2 KB each
# A customer may have 4 KB of notes, so a long page could exceed our size limit.
_TOO_MUCH = frozenset({"oversized", "unreadable"})


class HeronRecordCalls(Provider):
    """Calls that aren't about links."""

    def create_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        return self._call(
            "create_end_user",
            "POST",
            "/api/end_users",
            json={"end_user": {"end_user_id": end_user_id} | ({"name": name} if name else {})},
            deadline=self.deadlines.change,
            read=partial(parsers.end_user, expected_id=end_user_id),
            refuse=self._refuse_create,
        )

    def rename_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        # The path has no ID. Fields that aren't sent stay as they are.
        return self._call(
            "rename_end_user",
            "PUT",
            "/api/end_users",
            json={"end_user": {"end_user_id": end_user_id, "name": name}},
            deadline=self.deadlines.change,
            read=partial(parsers.end_user, expected_id=end_user_id),
        )

    def switch_data_source(self, remote_id: str, *, enabled: bool) -> RemoteDataSource:
        return self._call(
            "switch_data_source",
            "PUT",
            "/api/data_sources/{}",
            remote_id,
            json={"is_enabled": enabled},
            deadline=self.deadlines.change,
            read=partial(parsers.data_source, expected_id=remote_id, default_enabled=enabled),
        )

    def add_webhook(self, topic: str, url: str) -> RemoteWebhook:
        return self._call(
            "add_webhook",
            "POST",
            "/api/webhooks",
            json={"topic": topic, "url": url, "is_enabled": True},
            deadline=self.deadlines.change,
            read=parsers.webhook,
        )

    def switch_webhook(self, webhook: RemoteWebhook, *, enabled: bool) -> RemoteWebhook:
        # Heron requires the entire subscription with each change.
        return self._call(
            "switch_webhook",
            "PUT",
            "/api/webhooks/{}",
            webhook.remote_id,
            json={"topic": webhook.topic, "url": webhook.url, "is_enabled": enabled},
            deadline=self.deadlines.change,
            read=partial(parsers.webhook, expected_id=webhook.remote_id, default_enabled=enabled),
        )

    def remove_webhook(self, remote_id: str) -> None:
        self._call(
            "remove_webhook",
            "DELETE",
            "/api/webhooks/{}",
            remote_id,
            deadline=self.deadlines.change,
            read=parsers.nothing,
        )

    def list_end_users(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteEndUser]:
        if not whole:
            return self._customers(filters, page, _PAGE)
        filters = {**filters, "order_by": "created_asc"}  # so that new ones don't shift pages
        try:
            return self._customers(filters, page, _LONG_PAGE)
        except OutcomeUnknown as error:
            if error.failure.reason not in _TOO_MUCH:
                raise
        return self._long_page_in_parts(filters, page)

    def _long_page_in_parts(self, filters: Filters, page: int) -> RemotePage[RemoteEndUser]:
        parts: list[RemotePage[RemoteEndUser]] = []
        for number in range((page - 1) * _LONG_PAGE // _PAGE + 1, page * _LONG_PAGE // _PAGE + 1):
            parts.append(self._customers(filters, number, _PAGE))
            if parts[-1].is_last:
                break
        items = tuple(chain.from_iterable(part.items for part in parts))
        left_out = tuple(chain.from_iterable(part.left_out for part in parts))
        return RemotePage(items, page, parts[-1].is_last, parts[-1].total, left_out)

    def _customers(self, filters: Filters, page: int, limit: int) -> RemotePage[RemoteEndUser]:
        paging = {"page": str(page), "limit": str(limit), "include_data_sources": "true"}
        return self._call(
            "list_end_users",
            "GET",
            "/api/end_users",
            params=paging | params_of(filters, forms.END_USER_FILTERS),
            read=partial(parsers.end_user_page, number=page, limit=limit),
        )

    def read_end_user(self, end_user_id: str) -> RemoteEndUser:
        """Takes our ID or Heron's."""
        return self._call(
            "read_end_user",
            "GET",
            "/api/end_users/{}",
            end_user_id,
            read=partial(parsers.end_user, expected_id=end_user_id),
        )

    def read_processing(self, end_user_id: str) -> str:
        return self._call(
            "read_processing", "GET", "/api/end_users/{}/processing_status", end_user_id, read=parsers.processing
        )

    def list_data_sources(self, end_user_id: str) -> list[RemoteDataSource]:
        """Includes uploaded files."""
        return self._call(
            "list_data_sources", "GET", "/api/end_users/{}/data_sources", end_user_id, read=parsers.data_sources
        )

    def list_connectors(self) -> list[RemoteConnector]:
        return self._call("list_connectors", "GET", "/api/integrations", read=parsers.connectors)

    def list_webhooks(self) -> list[RemoteWebhook]:
        return self._call("list_webhooks", "GET", "/api/webhooks", read=parsers.webhooks)

    def list_webhook_topics(self) -> list[str]:
        return self._call("list_webhook_topics", "GET", "/api/webhooks/topics", read=parsers.topics)

    def _refuse_create(self, operation: str, answer: Answer) -> ProviderError:
        # The status for a duplicate isn't documented: probably 409, or 422 without fields.
        error = self._refuse(operation, answer)
        if answer.status == 409 or (answer.status == 422 and error.failure.words):
            return Duplicate(error.failure)
        return error
