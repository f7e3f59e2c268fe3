"""Belvo: links to banks, tax authorities and employers in Latin America. Staff enter the credentials.

https://developers.belvo.com/apis/belvoopenapispec
"""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import ClassVar

from linkadmin.providers.errors import Failure, ProviderError, Rejected, Unsupported
from linkadmin.providers.http.admission import Quota
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.http.client import Json
from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.records import Accepted, Filters, RemotePage, RemoteRepairUrl, Removed
from linkadmin.providers.types import (
    BY_CONSENT,
    Capability,
    ConnectionReport,
    CredentialField,
    FieldKind,
    LinkRef,
    NewLink,
    PracticeHints,
    RemoteLink,
    ReturnUrls,
    Secret,
    Value,
    Values,
)

from . import answers, forms, webhooks
from . import filters as filtering
from .record_calls import PAGE_SIZE, BelvoRecordCalls

_LONGEST_PAGE = 1000
_LINKS_PER_READ = 100
# The fields we read: the rest would double a long page.
_READ_FIELDS = (
    "id,institution,status,access_mode,refresh_rate,credentials_storage,stale_in,fetch_resources,external_id,"
    "created_at,created_by,last_accessed_at"
)

# https://developers.belvo.com/developer_resources/hosted-widget-update-mode
_UPDATE_SCOPES = "read_institutions,write_links,read_links"
_WIDGET = "https://widget.belvo.io/"
_PORTAL_EXPIRES_IN = 24 * 3600  # seconds


class Belvo(BelvoRecordCalls):
    """Belvo's API, called with the secret keys of one environment."""

    kind = "belvo"
    label = "Belvo"
    capabilities = frozenset(
        {
            Capability.CREATE,
            Capability.UPDATE_CREDENTIALS,
            Capability.INSTITUTIONS,
            Capability.REFRESH_DATA,
            Capability.CHANGE_SETTINGS,
            Capability.REMOVE_LINK,
            Capability.REPAIR_URL,
            Capability.LINKS,
            Capability.CONSENTS,
            Capability.WEBHOOK_DELIVERIES,
        }
    )
    sandbox_hosts = frozenset({"sandbox.belvo.com", "development.belvo.com"})
    allowed_hosts = frozenset({"api.belvo.com", *sandbox_hosts})
    removal_consequence = _(
        "Belvo deletes the link and all its accounts, transactions, and owners. At an open finance bank, the "
        "customer's consent ends too. This can't be undone: the customer has to connect again, and the link "
        "gets a new ID."
    )
    practice_hints = PracticeHints(
        create=_(
            "any username with the password “pass_valid” is accepted; the username “mfa_default” asks for a code."
        ),
        update=_(
            "“pass_valid” is accepted and “pass_invalid” is rejected; “mfa_qr”, “mfa_numeric”, and similar "
            "values ask for a code."
        ),
        code=_("“111111” is accepted; any other code is rejected."),
    )
    config_fields = (
        CredentialField("secret_id", _("Secret ID"), FieldKind.PASSWORD, secret=True),
        CredentialField("secret_password", _("Secret password"), FieldKind.PASSWORD, secret=True),
    )

    # https://developers.belvo.com/developer_resources/resources-belvo-api-errors
    # Above 80 requests in 30 s, Belvo may block our IP. A sixth removal within a minute only gets a 429. A removal in
    # the background is another call, without a limit.
    quotas = (Quota(80, 30.0), Quota(5, 60.0, "remove_link"))

    statuses = frozenset(answers.STATUS_CAUSES)
    links_per_read = _LINKS_PER_READ
    links_per_page = _LONGEST_PAGE

    create_fields = staticmethod(forms.create_fields)
    update_fields = staticmethod(forms.update_fields)
    code_field = staticmethod(forms.code_field)
    fixed_values = staticmethod(forms.fixed_values)
    settings_fields = staticmethod(forms.settings_fields)
    fetch_fields = staticmethod(forms.fetch_fields)
    hosted_pages = ("https://widget.belvo.io", "https://meuportal.belvo.com")
    # Open finance has no update mode: customers renew their consents here, after signing in at their bank. It doesn't
    # lead back. https://developers.belvo.com/products/aggregation_brazil/aggregation-brazil-mybelvoportal
    consent_portal = "https://meuportal.belvo.com/?mode=landing"
    removal_fields = forms.REMOVAL_FIELDS
    link_filters = filtering.LINK_FILTERS
    institution_filters = filtering.INSTITUTION_FILTERS

    webhook_fields = webhooks.FIELDS
    generates_webhook_secret = True
    new_webhook_secret = staticmethod(webhooks.new_secret)
    webhook_is_genuine = staticmethod(webhooks.is_genuine)
    read_webhook = staticmethod(webhooks.read)

    # Belvo signs in at the bank during these calls, so their errors say something about the link.
    BANK_CALLS: ClassVar[frozenset[str]] = frozenset(
        {"belvo.create_link", "belvo.update_credentials", "belvo.submit_code"}
    )

    # Errors of these calls say nothing about one link's health.
    BESIDE_LINKS: ClassVar[frozenset[str]] = frozenset(
        {
            "belvo.test_connection",
            "belvo.read_links",
            "belvo.list_links",
            "belvo.list_institutions",
            "belvo.find_institutions",
            "belvo.read_institution",
            "belvo.list_consents",
        }
    )

    # Not every account may call these: a 403 says nothing about the keys.
    FEATURES: ClassVar[frozenset[str]] = frozenset({"belvo.list_consents"})

    def test_connection(self) -> ConnectionReport:
        # The smallest page that needs valid keys.
        return self._call(
            "test_connection", "GET", "/api/institutions/", params={"page_size": "1"}, read=answers.report
        )

    @classmethod
    def customer_filters(cls, end_user_id: str) -> Filters | None:
        # Belvo would split an ID with a comma into several.
        return None if "," in end_user_id else {"external_id": end_user_id}

    def create_link(self, new_link: NewLink) -> RemoteLink:
        body: dict[str, Value] = {"institution": new_link.institution}
        body |= _filled(new_link.values, forms.REGISTER_NAMES)
        if forms.is_external_id(new_link.end_user_id):
            body["external_id"] = new_link.end_user_id
        return self._call(
            "create_link",
            "POST",
            "/api/links/",
            json=body,
            deadline=self.deadlines.credentials,
            read=partial(answers.link, known={new_link.institution, new_link.end_user_id}),
        )

    def update_credentials(self, link: LinkRef, values: Values) -> RemoteLink:
        return self._call(
            "update_credentials",
            "PUT",
            "/api/links/{}/",
            link.remote_id,
            json=_filled(values, forms.UPDATE_NAMES),
            deadline=self.deadlines.credentials,
            read=partial(answers.link, expected_id=link.remote_id, known={link.institution, link.end_user_id}),
            refuse=partial(self._refuse, link_id=link.remote_id),
        )

    def submit_code(self, *, session: Secret, remote_link_id: str, code: Secret | None) -> RemoteLink:
        # The path has no link ID: with one, the call would change the link's settings.
        return self._call(
            "submit_code",
            "PATCH",
            "/api/links/",
            json=_filled(
                {"session": session, "link": remote_link_id, "token": code or ""}, ("session", "link", "token")
            ),
            deadline=self.deadlines.credentials,
            read=partial(answers.link, expected_id=remote_link_id),
            refuse=partial(self._refuse, link_id=remote_link_id),
        )

    def refresh_data(self, link: LinkRef, values: Values) -> Accepted:
        """Belvo allows one refresh in ten minutes."""
        resources = values.get("resources")
        return self._call(
            "refresh_data",
            "POST",
            "/api/links/{}/refresh/",
            link.remote_id,
            json={"fetch_resources": resources} if resources else None,
            deadline=self.deadlines.change,
            read=answers.accepted,
        )

    def change_settings(self, link: LinkRef, values: Values) -> RemoteLink:
        """May ask for a code."""
        return self._call(
            "change_settings",
            "PATCH",
            "/api/links/{}/",
            link.remote_id,
            json=forms.settings(values),
            deadline=self.deadlines.change,
            read=partial(answers.link, expected_id=link.remote_id),
            refuse=partial(self._refuse, link_id=link.remote_id),
        )

    @classmethod
    def removal_call(cls, values: Values) -> str:
        # Only an immediate removal is limited to five per minute.
        return "remove_link_in_background" if values.get(forms.HOW) == forms.IN_BACKGROUND else "remove_link"

    def remove_link(self, link: LinkRef, values: Values) -> Removed:
        """Also deletes the link's data and, at an open finance bank, ends the consent."""
        call = self.removal_call(values)
        return self._call(
            call,
            "DELETE",
            "/api/links/{}/",
            link.remote_id,
            headers={} if call == "remove_link" else {"X-Belvo-Request-Mode": "async"},
            deadline=self.deadlines.change,
            read=answers.removed,
        )

    def create_repair_url(
        self, link: LinkRef, values: Values, return_urls: ReturnUrls | None = None
    ) -> RemoteRepairUrl:
        if link.integration_type in BY_CONSENT:
            return RemoteRepairUrl(Secret(self._page_url(self.consent_portal)), expires_in=_PORTAL_EXPIRES_IN)
        return self._call(
            "create_repair_url",
            "POST",
            "/api/token/",
            json={
                "id": self.secrets["secret_id"],
                "password": self.secrets["secret_password"],
                "scopes": _UPDATE_SCOPES,
                "link_id": link.remote_id,
                **_callback_urls(return_urls),
            },
            deadline=self.deadlines.change,
            read=partial(answers.repair_url, page=self._page_url(_WIDGET), locale=str(values.get("locale", ""))),
        )

    def read_link(self, link: LinkRef) -> RemoteLink:
        return self._call(
            "read_link",
            "GET",
            "/api/links/{}/",
            link.remote_id,
            read=partial(answers.link, expected_id=link.remote_id),
        )

    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        """Finding none proves nothing: Belvo drops an external ID that looks personal.

        Raises Unsupported for a customer whose ID Belvo never got.
        """
        if remote_id:
            return super().read_links([LinkRef(remote_id=remote_id, end_user_id="")])  # by ID, at its own endpoint
        if not forms.is_external_id(end_user_id):
            raise Unsupported(Failure(self._operation("find_link"), reason="no_external_id"))
        params = {"external_id": end_user_id, "institution": institution, "page_size": str(PAGE_SIZE)}
        found = self._call("find_link", "GET", "/api/links/", params=params, read=answers.links)
        # If Belvo ignores the filter, another customer's link must not pass for this one's.
        return [link for link in found if (link.external_id, link.institution) == (end_user_id, institution)]

    def read_links(self, links: Sequence[LinkRef]) -> list[RemoteLink]:
        requested = frozenset(link.remote_id for link in links)
        params = {"id__in": ",".join(sorted(requested)), "page_size": str(_LINKS_PER_READ), "fields": _READ_FIELDS}
        return self._call(
            "read_links", "GET", "/api/links/", params=params, read=partial(answers.batch, requested=requested)
        )

    def list_links(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteLink]:
        params = filtering.params_for(filters, self.link_filters)
        if whole:
            params |= {"page_size": str(_LONGEST_PAGE), "fields": _READ_FIELDS}
        return self._page("list_links", "/api/links/", params, page, parse=answers.link_of)

    def _basic_auth(self) -> tuple[Secret, Secret]:
        return self.secrets["secret_id"], self.secrets["secret_password"]

    def _refuse(self, operation: str, answer: Answer, *, link_id: str = "") -> ProviderError:
        error = answers.refusal(
            operation,
            answer,
            link_id=link_id,
            at_bank=operation in self.BANK_CALLS,
            about_link=operation not in self.BESIDE_LINKS,
        )
        lacks_feature = operation in self.FEATURES and answer.status == HTTPStatus.FORBIDDEN and error.failure.code
        return Rejected(error.failure) if lacks_feature else error


def _callback_urls(urls: ReturnUrls | None) -> Json:
    # An event is an error, such as an expired access token: nothing was repaired.
    return {"widget": {"callback_urls": {"success": urls.done, "exit": urls.left, "event": urls.left}}} if urls else {}


def _filled(values: Values, names: tuple[str, ...]) -> dict[str, Value]:
    return {name: values[name] for name in names if values.get(name)}
