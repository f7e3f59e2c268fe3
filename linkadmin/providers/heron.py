"""Heron Data: links to banks through Plaid, one per customer's connection.

https://docs.herondata.io/api-reference
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from . import heron_answers as answers
from . import heron_forms as forms
from . import heron_records as kept
from .base import InstitutionFields, Provider
from .errors import Duplicate, Failure, InvalidInput, NotFound, ProviderError
from .filters import Filters, params_of, text_of
from .gate import Quota, Rate
from .http import Answer
from .records import (
    Accepted,
    Page,
    Reach,
    RemoteConnector,
    RemoteDataSource,
    RemoteEndUser,
    RemoteWebhook,
    Removed,
    ReportsRefreshed,
)
from .types import (
    Capability,
    Cause,
    ConnectionReport,
    CredentialField,
    FieldKind,
    LinkRef,
    NewLink,
    Observation,
    PracticeHints,
    RemoteLink,
    Secret,
    Values,
)

_END_USERS_PAGE = 100  # a customer may carry four kilobytes of notes
_QUERY_ID = "end_user_id_or_heron_id"
_LINKS_OF = "/api/end_users/{}/integration_links"

# The calls whose refusals can tell of the health of a link.
_LINK_CALLS = ("create_link", "read_link", "find_link", "fetch_data", "replace_token", "remove_link")
_OTHER_CALLS = (
    "test_connection",
    "list_links",
    "refresh_reports",
    "list_end_users",
    "read_end_user",
    "read_processing",
    "create_end_user",
    "list_data_sources",
    "switch_data_source",
    "list_connectors",
    "list_webhooks",
    "list_webhook_topics",
    "add_webhook",
    "switch_webhook",
    "remove_webhook",
)


class Heron(Provider):
    """Heron's API, spoken with the key of one account, for one of its integrations."""

    kind = "heron"
    label = "Heron Data"
    capabilities = frozenset(
        {
            Capability.CREATE,
            Capability.FETCH_DATA,
            Capability.REMOVE_LINK,
            Capability.REPLACE_TOKEN,
            Capability.REFRESH_REPORTS,
            Capability.LINKS,
            Capability.END_USERS,
            Capability.DATA_SOURCES,
            Capability.CONNECTORS,
            Capability.WEBHOOKS,
        }
    )
    allowed_hosts = frozenset({"app.herondata.io"})
    remote_id_label = "Item id"
    removal_reach = Reach.CUSTOMER
    report_kinds = frozenset({"plaid_assets_report"})
    removal_consequence = (
        "Heron knows no removal of a single link: it stops fetching for all of them. Transactions it has already stay. "
        "It cannot be switched on again: the customer has to connect anew, and the link gets another item id."
    )
    logs_in_itself = False
    practice_hints = PracticeHints(
        create="any token and any new item id are accepted; the token “access-lost” loses the answer."
    )
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
    # https://docs.herondata.io/faqs/rate-limits-429-errors
    # Counted for each call by itself. The whole of it: every answer tells where the window stands.
    quotas = tuple(Quota(100, 60.0, call) for call in (*_LINK_CALLS, *_OTHER_CALLS))

    ABOUT_LINKS: ClassVar[frozenset[str]] = frozenset(f"heron.{call}" for call in _LINK_CALLS)

    def test_connection(self) -> ConnectionReport:
        """Ask for the greeting that only a good key gets."""
        return self._call("test_connection", "GET", "/api/hello_world/authenticated", read=answers.report)

    @classmethod
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return what the exchange of Plaid's public token gave."""
        return forms.CREATE_FIELDS

    @classmethod
    def token_fields(cls) -> tuple[CredentialField, ...]:
        """Return the new token, which Plaid gives when the old one is made invalid."""
        return forms.TOKEN_FIELDS

    @classmethod
    def link_filters(cls) -> tuple[CredentialField, ...]:
        """Return whose links, and where: Heron lists those of one customer only."""
        return forms.LINK_FILTERS

    @classmethod
    def customer_filters(cls, end_user_id: str) -> Filters:
        """Return the search in all integrations of the account."""
        return {"end_user_id": end_user_id, forms.EVERYWHERE: forms.YES}

    @classmethod
    def end_user_filters(cls) -> tuple[CredentialField, ...]:
        """Return what customers can be searched by."""
        return forms.END_USER_FILTERS

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
            self._integration,
            json={name: value for name, value in body.items() if value},
            deadline=self.deadlines.change,
            read=answers.link,
            refuse=self._refuse_create,
        )

    def fetch_data(self, link: LinkRef, values: Values) -> Accepted:
        """Have one link synced now; how it stands at that moment is answered, not how the sync ends."""
        return self._call(
            "fetch_data",
            "POST",
            "/api/integrations/{}/links/{}/refresh",
            self._integration,
            link.remote_id,
            deadline=self.deadlines.change,
            read=partial(answers.accepted, expected_id=link.remote_id),
        )

    def remove_link(self, link: LinkRef, values: Values) -> Removed:
        """End the syncing of all links of the customer in this integration: Heron has no call for one of them."""
        if not link.end_user_id:  # all customers' links, for all that is documented
            raise InvalidInput(Failure(self._operation("remove_link"), reason="bad_id"))
        return self._call(
            "remove_link",
            "DELETE",
            "/api/integrations/{}/links",
            self._integration,
            params={_QUERY_ID: link.end_user_id},
            deadline=self.deadlines.change,
            read=answers.switched_off,
        )

    def replace_token(self, link: LinkRef, values: Values) -> RemoteLink:
        """Hand over a new access token for the same item, in an envelope that is named after customers."""
        return self._call(
            "replace_token",
            "PUT",
            "/api/integration_links/{}",
            link.remote_id,
            json={"end_user": {"access_token": values.get("access_token", "")}},
            deadline=self.deadlines.change,
            read=partial(answers.link, envelope="integration_link", expected_id=link.remote_id),
        )

    def refresh_reports(self, end_user_id: str) -> ReportsRefreshed:
        """Make the asset reports of active links anew, which costs money at Plaid."""
        try:
            return self._call(
                "refresh_reports",
                "PUT",
                "/api/integrations/{}/links",
                self._integration,
                params={_QUERY_ID: end_user_id} if end_user_id else {},
                deadline=self.deadlines.change,
                read=answers.refreshed,
                refuse=self._refuse_reports,
            )
        except answers.PartlyRefreshed as partly:
            return partly.refreshed

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

    def list_links(self, filters: Filters, *, page: int = 1) -> Page[RemoteLink]:
        """Return all links of a customer, which Heron does not divide into pages."""
        end_user_id = text_of(filters, "end_user_id")
        if filters.get(forms.EVERYWHERE) == forms.YES:
            return self._call("list_links", "GET", _LINKS_OF, end_user_id, read=answers.link_page)
        return self._call(
            "list_links",
            "GET",
            "/api/integrations/{}/links",
            self._integration,
            params={_QUERY_ID: end_user_id},
            read=answers.link_page,
        )

    def list_end_users(self, filters: Filters, *, page: int = 1) -> Page[RemoteEndUser]:
        """Return one page of the customers that fit, with how their sources stand."""
        paging = {"page": str(page), "limit": str(_END_USERS_PAGE), "include_data_sources": "true"}
        return self._call(
            "list_end_users",
            "GET",
            "/api/end_users",
            params=paging | params_of(filters, forms.END_USER_FILTERS),
            read=partial(kept.end_user_page, number=page, limit=_END_USERS_PAGE),
        )

    def read_end_user(self, end_user_id: str) -> RemoteEndUser:
        """Read one customer, by our id or by Heron's."""
        read = partial(kept.end_user, expected_id=end_user_id)
        return self._call("read_end_user", "GET", "/api/end_users/{}", end_user_id, read=read)

    def read_processing(self, end_user_id: str) -> str:
        """Return whether a customer's data is being processed still."""
        path = "/api/end_users/{}/processing_status"
        return self._call("read_processing", "GET", path, end_user_id, read=kept.processing)

    def list_data_sources(self, end_user_id: str) -> list[RemoteDataSource]:
        """Return a customer's links and files, with the accounts in them."""
        path = "/api/end_users/{}/data_sources"
        return self._call("list_data_sources", "GET", path, end_user_id, read=kept.data_sources)

    def list_connectors(self) -> list[RemoteConnector]:
        """Return what Heron calls integrations, without their keys."""
        return self._call("list_connectors", "GET", "/api/integrations", read=kept.connectors)

    def list_webhooks(self) -> list[RemoteWebhook]:
        """Return our subscriptions, without their headers."""
        return self._call("list_webhooks", "GET", "/api/webhooks", read=kept.webhooks)

    def list_webhook_topics(self) -> list[str]:
        """Return what can be subscribed to."""
        return self._call("list_webhook_topics", "GET", "/api/webhooks/topics", read=kept.topics)

    @property
    def _integration(self) -> str:
        return self.options["integration_id"]

    def _find_listed(self, call: str, link: LinkRef) -> list[RemoteLink]:
        read = partial(answers.listed, item_id=link.remote_id)
        return self._call(call, "GET", _LINKS_OF, link.end_user_id, read=read)

    def _told_rate(self, call: str, answer: Answer, error: ProviderError | None) -> Rate | None:
        return super()._told_rate(call, answer, error) or answers.rate(call, answer)

    def _key_headers(self) -> Mapping[str, Secret]:
        return {"x-api-key": self.secrets["api_key"]}

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        return answers.refusal(operation, answer, about_link=operation in self.ABOUT_LINKS)

    def _refuse_create(self, operation: str, answer: Answer) -> ProviderError:
        # No status is documented for what is known already: 409, and 422 without fields, are its likely forms.
        error = self._refuse(operation, answer)
        if answer.status == 409 or (answer.status == 422 and error.failure.words):
            return Duplicate(error.failure)
        return error

    def _refuse_reports(self, operation: str, answer: Answer) -> ProviderError:
        error = self._refuse(operation, answer)
        if answer.status == 422 and answers.tells_refreshed(answer):
            return answers.PartlyRefreshed(error.failure, answers.refreshed(answer))
        if answer.status == 404:
            return NotFound(replace(error.failure, reason="no_reports"))
        return error
