"""What Heron keeps beside links: customers, sources of their data, connectors, subscriptions.

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
from . import records as kept

_PAGE = 100
_LONG_PAGE = 500  # two kilobytes for each
# A customer may carry four kilobytes of notes, so that a long page can be more than is read.
_TOO_MUCH = frozenset({"oversized", "unreadable"})


class HeronRecordCalls(Provider):
    """The calls to Heron that are about no link."""

    def create_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        """Let Heron know a customer."""
        return self._call(
            "create_end_user",
            "POST",
            "/api/end_users",
            json={"end_user": {"end_user_id": end_user_id} | ({"name": name} if name else {})},
            deadline=self.deadlines.change,
            read=partial(kept.end_user, expected_id=end_user_id),
            refuse=self._refuse_create,
        )

    def rename_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        """Change a customer's name. The call has no ID in its path, and leaves alone what it does not name."""
        return self._call(
            "rename_end_user",
            "PUT",
            "/api/end_users",
            json={"end_user": {"end_user_id": end_user_id, "name": name}},
            deadline=self.deadlines.change,
            read=partial(kept.end_user, expected_id=end_user_id),
        )

    def switch_data_source(self, remote_id: str, *, enabled: bool) -> RemoteDataSource:
        """Count a source's transactions in, or leave them out."""
        return self._call(
            "switch_data_source",
            "PUT",
            "/api/data_sources/{}",
            remote_id,
            json={"is_enabled": enabled},
            deadline=self.deadlines.change,
            read=partial(kept.data_source, expected_id=remote_id, untold=enabled),
        )

    def add_webhook(self, topic: str, url: str) -> RemoteWebhook:
        """Subscribe an address to one topic."""
        return self._call(
            "add_webhook",
            "POST",
            "/api/webhooks",
            json={"topic": topic, "url": url, "is_enabled": True},
            deadline=self.deadlines.change,
            read=kept.webhook,
        )

    def switch_webhook(self, webhook: RemoteWebhook, *, enabled: bool) -> RemoteWebhook:
        """Pause a subscription, or let it go on; Heron wants all of it with each change."""
        return self._call(
            "switch_webhook",
            "PUT",
            "/api/webhooks/{}",
            webhook.remote_id,
            json={"topic": webhook.topic, "url": webhook.url, "is_enabled": enabled},
            deadline=self.deadlines.change,
            read=partial(kept.webhook, expected_id=webhook.remote_id, untold=enabled),
        )

    def remove_webhook(self, remote_id: str) -> None:
        """End a subscription."""
        self._call(
            "remove_webhook",
            "DELETE",
            "/api/webhooks/{}",
            remote_id,
            deadline=self.deadlines.change,
            read=kept.nothing,
        )

    def list_end_users(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteEndUser]:
        """Return one page of the customers that fit, with how their sources stand; `whole`: the oldest first."""
        if not whole:
            return self._customers(filters, page, _PAGE)
        filters = {**filters, "order_by": "created_asc"}  # in which what is new moves nothing to another page
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
            read=partial(kept.end_user_page, number=page, limit=limit),
        )

    def read_end_user(self, end_user_id: str) -> RemoteEndUser:
        """Read one customer, by our id or by Heron's."""
        return self._call(
            "read_end_user",
            "GET",
            "/api/end_users/{}",
            end_user_id,
            read=partial(kept.end_user, expected_id=end_user_id),
        )

    def read_processing(self, end_user_id: str) -> str:
        """Return whether a customer's data is being processed still."""
        return self._call(
            "read_processing", "GET", "/api/end_users/{}/processing_status", end_user_id, read=kept.processing
        )

    def list_data_sources(self, end_user_id: str) -> list[RemoteDataSource]:
        """Return a customer's links and files, with the accounts in them."""
        return self._call(
            "list_data_sources", "GET", "/api/end_users/{}/data_sources", end_user_id, read=kept.data_sources
        )

    def list_connectors(self) -> list[RemoteConnector]:
        """Return what Heron calls integrations, without their keys."""
        return self._call("list_connectors", "GET", "/api/integrations", read=kept.connectors)

    def list_webhooks(self) -> list[RemoteWebhook]:
        """Return our subscriptions, without their headers."""
        return self._call("list_webhooks", "GET", "/api/webhooks", read=kept.webhooks)

    def list_webhook_topics(self) -> list[str]:
        """Return what can be subscribed to."""
        return self._call("list_webhook_topics", "GET", "/api/webhooks/topics", read=kept.topics)

    def _refuse_create(self, operation: str, answer: Answer) -> ProviderError:
        # No status is documented for what is known already: 409, and 422 without fields, are its likely forms.
        error = self._refuse(operation, answer)
        if answer.status == 409 or (answer.status == 422 and error.failure.words):
            return Duplicate(error.failure)
        return error
