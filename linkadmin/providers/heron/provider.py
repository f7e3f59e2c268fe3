"""Heron Data: links to banks through Plaid, one per customer's connection.

https://docs.herondata.io/api-reference
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from linkadmin.providers.errors import Failure, InvalidInput, NotFound, ProviderError
from linkadmin.providers.http.admission import Quota, Rate
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.reading import mapping
from linkadmin.providers.records import (
    Accepted,
    Filters,
    FullCheckBy,
    Reach,
    RemotePage,
    Removed,
    ReportsRefreshed,
)
from linkadmin.providers.types import (
    Capability,
    Cause,
    ConnectionReport,
    CredentialField,
    FieldKind,
    InstitutionFields,
    LinkRef,
    NewLink,
    Observation,
    PracticeHints,
    RemoteLink,
    Secret,
    Values,
)

from . import answers, forms, webhooks
from .record_calls import HeronRecordCalls

T = TypeVar("T")

_QUERY_ID = "end_user_id_or_heron_id"
_LINKS_OF = "/api/end_users/{}/integration_links"

# Errors of these calls may say something about a link's health.
_LINK_CALLS = ("create_link", "read_link", "find_link", "refresh_data", "replace_token", "remove_link")
_OTHER_CALLS = (
    "test_connection",
    "read_links",
    "list_links",
    "list_links_everywhere",
    "regenerate_reports",
    "list_end_users",
    "read_end_user",
    "read_processing",
    "create_end_user",
    "rename_end_user",
    "list_data_sources",
    "switch_data_source",
    "list_connectors",
    "list_webhooks",
    "list_webhook_topics",
    "add_webhook",
    "switch_webhook",
    "remove_webhook",
)
# Heron counts by endpoint: a customer's links in the account, and those in one integration.
_COUNTED_AS = {"find_link": "read_link", "list_links_everywhere": "read_link", "read_links": "list_links"}
_ENDPOINTS = dict.fromkeys(_COUNTED_AS.get(call, call) for call in (*_LINK_CALLS, *_OTHER_CALLS))


class Heron(HeronRecordCalls):
    """Heron's API, called with one account's key, for one of its integrations."""

    kind = "heron"
    label = "Heron"
    full_name = "Heron Data"
    capabilities = frozenset(
        {
            Capability.CREATE,
            Capability.REFRESH_DATA,
            Capability.REMOVE_LINK,
            Capability.REPLACE_TOKEN,
            Capability.REGENERATE_REPORTS,
            Capability.LINKS,
            Capability.END_USERS,
            Capability.DATA_SOURCES,
            Capability.CONNECTORS,
            Capability.WEBHOOKS,
            Capability.WEBHOOK_DELIVERIES,
        }
    )
    allowed_hosts = frozenset({"app.herondata.io"})
    remote_id_label = _("Item ID")
    removal_reach = Reach.CUSTOMER
    report_kinds = frozenset({"plaid_assets_report"})
    removal_consequence = _(
        "Heron can't delete a single link: it stops fetching data for all of the customer's links. "
        "Transactions already fetched are kept. This can't be undone: the customer has to connect again, and "
        "the link gets a new item ID."
    )
    signs_in_at_bank = False
    practice_hints = PracticeHints(
        create=_("any token and any new item ID are accepted; the token “access-lost” simulates a lost response.")
    )
    config_fields = (
        CredentialField("api_key", _("API key"), FieldKind.PASSWORD, secret=True, placeholder="key_…"),
        CredentialField(
            "integration_id",
            _("Integration ID"),
            pattern=r"^itg_[A-Za-z0-9_-]+$",
            pattern_message=_("An integration ID starts with itg_"),
            placeholder="itg_…",
        ),
    )
    # https://docs.herondata.io/faqs/rate-limits-429-errors
    # Counted per endpoint. We use the full limit because each response says how much is left.
    quotas = tuple(Quota(100, 60.0, call) for call in _ENDPOINTS)
    counted_as = _COUNTED_AS
    full_check_by = FullCheckBy.CUSTOMERS
    statuses = answers.STATUSES

    token_fields = forms.TOKEN_FIELDS
    link_filters = forms.LINK_FILTERS  # Heron lists the links of one customer only
    end_user_filters = forms.END_USER_FILTERS

    webhook_fields = webhooks.FIELDS
    webhook_is_genuine = staticmethod(webhooks.is_genuine)
    read_webhook = staticmethod(webhooks.read)
    webhook_key = staticmethod(webhooks.key)

    def test_connection(self) -> ConnectionReport:
        return self._call("test_connection", "GET", "/api/hello_world/authenticated", read=answers.report)

    @classmethod
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        # Plaid returns the item ID and access token when its public token is exchanged.
        return forms.CREATE_FIELDS

    @classmethod
    def customer_filters(cls, end_user_id: str) -> Filters:
        return {"end_user_id": end_user_id, forms.EVERYWHERE: forms.YES}

    def create_link(self, new_link: NewLink) -> RemoteLink:
        """Add a connection that exists at Plaid. Idempotent: sending it twice doesn't create two."""
        body = {
            "access_token": new_link.values.get("access_token", ""),
            "end_user_id": new_link.end_user_id,
            "end_user_name": new_link.end_user_name,
            "item_id": new_link.values.get("item_id", ""),
            "asset_report_token": new_link.values.get("asset_report_token", ""),
        }
        return self._call(
            "create_link",
            "POST",
            "/api/integrations/{}/links",
            self._integration,
            json={name: value for name, value in body.items() if value},
            deadline=self.deadlines.change,
            read=partial(answers.link, expected_id=str(body["item_id"])),
            refuse=self._refuse_create,
        )

    def refresh_data(self, link: LinkRef, values: Values) -> Accepted:
        """The response has the link's status at that moment, not the result."""
        return self._call(
            "refresh_data",
            "POST",
            "/api/integrations/{}/links/{}/refresh",
            self._integration,
            link.remote_id,
            deadline=self.deadlines.change,
            read=partial(answers.accepted, expected_id=link.remote_id),
        )

    def remove_link(self, link: LinkRef, values: Values) -> Removed:
        """Stop syncing all of the customer's links in this integration: Heron can't remove a single one."""
        if not link.end_user_id:  # as far as documented, this would be all customers' links
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
        # The request's envelope is named after customers.
        return self._call(
            "replace_token",
            "PUT",
            "/api/integration_links/{}",
            link.remote_id,
            json={"end_user": {"access_token": values.get("access_token", "")}},
            deadline=self.deadlines.change,
            read=partial(answers.link, envelope="integration_link", expected_id=link.remote_id),
        )

    def regenerate_reports(self, end_user_id: str) -> ReportsRefreshed:
        """Regenerates reports of active links only. Plaid charges for that."""
        try:
            return self._call(
                "regenerate_reports",
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

    def read_link(self, link: LinkRef) -> RemoteLink:
        # Heron has no endpoint for a single link.
        if found := self._find_listed("read_link", link):
            return found[0]
        failure = Failure(self._operation("read_link"), reason="not_listed")
        raise NotFound(failure, Observation(cause=Cause.MISSING))

    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        try:
            return self._find_listed("find_link", LinkRef(remote_id, end_user_id))
        except NotFound:
            return []  # the customer is unknown too, so nothing was created

    @classmethod
    def batches(cls, links: Sequence[LinkRef]) -> list[list[LinkRef]]:
        by_customer: dict[str, list[LinkRef]] = {}
        for link in links:
            by_customer.setdefault(link.end_user_id, []).append(link)
        return list(by_customer.values())

    def read_links(self, links: Sequence[LinkRef]) -> list[RemoteLink]:
        """Raises ValueError for links of several customers."""
        (end_user_id,) = {link.end_user_id for link in links}
        requested = frozenset(link.remote_id for link in links)
        try:
            return self._in_integration("read_links", end_user_id, read=partial(answers.batch, requested=requested))
        except NotFound:
            try:
                self.read_end_user(end_user_id)
            except NotFound:
                return []
            raise  # Heron doesn't know the integration

    def list_links(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteLink]:
        # Heron returns all of a customer's links at once, without pages.
        end_user_id = str(filters.get("end_user_id", ""))
        if filters.get(forms.EVERYWHERE) == forms.YES:
            return self._call("list_links_everywhere", "GET", _LINKS_OF, end_user_id, read=answers.link_page)
        return self._in_integration("list_links", end_user_id, read=answers.link_page)

    @property
    def _integration(self) -> str:
        return self.options["integration_id"]

    def _in_integration(self, call: str, end_user_id: str, *, read: Callable[[Answer], T]) -> T:
        return self._call(
            call,
            "GET",
            "/api/integrations/{}/links",
            self._integration,
            params={_QUERY_ID: end_user_id},
            read=read,
        )

    def _find_listed(self, call: str, link: LinkRef) -> list[RemoteLink]:
        requested = frozenset({link.remote_id})
        listed = self._call(call, "GET", _LINKS_OF, link.end_user_id, read=partial(answers.batch, requested=requested))
        return [each for each in listed if each.remote_id in requested]

    def _rate_of(self, call: str, answer: Answer, error: ProviderError | None) -> Rate | None:
        return super()._rate_of(call, answer, error) or answers.rate(self.quota_scope(call), answer)

    def _key_headers(self) -> Mapping[str, Secret]:
        return {"x-api-key": self.secrets["api_key"]}

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        return answers.refusal(operation, answer, about_link=operation.removeprefix("heron.") in _LINK_CALLS)

    def _refuse_reports(self, operation: str, answer: Answer) -> ProviderError:
        error = self._refuse(operation, answer)
        if answer.status == 422 and "processed_links" in mapping(answer.data):  # what was really done
            return answers.PartlyRefreshed(error.failure, answers.refreshed(answer))
        if answer.status == 404:
            return NotFound(replace(error.failure, reason="no_reports"))
        return error
