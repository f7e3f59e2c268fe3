"""Plaid: the page where customers repair a link that Heron reads, and the webhooks about it.

https://plaid.com/docs/link/hosted-link/ and https://plaid.com/docs/link/update-mode/
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound, ProviderError
from linkadmin.providers.http import signed_requests
from linkadmin.providers.http.admission import Admission
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.http.client import Json, JsonValue
from linkadmin.providers.http.retries import Backoff
from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.records import RemoteSession, SessionResult, WebhookKey
from linkadmin.providers.types import (
    Capability,
    ConnectionReport,
    CredentialField,
    FieldKind,
    NewSession,
    PracticeHints,
    Secret,
)

from . import answers, company, webhooks

T = TypeVar("T")

LONGEST_COMPANY = 30  # characters; with a longer name, Plaid shows "This Application"
LONGEST_SESSION = 21 * 24 * 60 * 60  # seconds
NO_KEY = "00000000-0000-4000-8000-000000000000"


class Plaid(Provider):
    """Plaid's API, called with one team's keys. Access tokens are for one call and never stored."""

    kind = "plaid"
    label = "Plaid"
    companion_of = "heron"
    hosted_pages = ("https://secure.plaid.com",)
    capabilities = frozenset({Capability.REPAIR_SESSION, Capability.WEBHOOK_DELIVERIES})
    allowed_hosts = frozenset({"production.plaid.com", "sandbox.plaid.com"})
    sandbox_hosts = frozenset({"sandbox.plaid.com"})
    practice_hints = PracticeHints(update=_("the access token is access-sandbox- followed by the link's item ID."))
    config_fields = (
        CredentialField("client_id", _("Client ID"), FieldKind.PASSWORD, secret=True),
        CredentialField("secret", _("Secret"), FieldKind.PASSWORD, secret=True),
        CredentialField(
            "countries",
            _("Countries of your banks"),
            pattern=r"^[A-Z]{2}(, ?[A-Z]{2})*$",
            pattern_message=_("Enter country codes such as US, CA."),
            placeholder="US, CA",
            initial="US",
        ),
        CredentialField(
            "endpoint",
            _("Your endpoint for repair pages"),
            required=False,
            placeholder="https://links.example.com/repair-page",
            help_text=_("It gets the item ID and returns a page. Without it, staff paste the access token."),
            needs="endpoint_secret",
        ),
        CredentialField(
            "endpoint_secret",
            _("Signing secret of your endpoint"),
            FieldKind.PASSWORD,
            secret=True,
            required=False,
            help_text=_("We sign each request with it. Use at least 32 random characters."),
        ),
    )
    publishes_webhook_keys = True
    webhook_key_id = staticmethod(webhooks.key_id)
    webhook_is_genuine = staticmethod(webhooks.is_genuine)
    secrets_in_webhook = staticmethod(webhooks.secrets_in)
    read_webhook = staticmethod(webhooks.read)
    repeatable = frozenset({"create_session", "read_item_id", "read_session", "read_webhook_key"})

    def __init__(
        self, *, admission: Admission, allow_loopback: bool = False, backoff: Backoff | None = None, **more: Any
    ) -> None:
        super().__init__(admission=admission, allow_loopback=allow_loopback, backoff=backoff, **more)
        self._create_at_company = partial(
            company.create_session, admission=admission, allow_loopback=allow_loopback, backoff=backoff
        )

    @classmethod
    def check_option(cls, name: str, value: str, *, allow_loopback: bool = False) -> None:
        if name == "endpoint" and value:
            signed_requests.check_url(value, allow_loopback=allow_loopback)

    @classmethod
    def needs_access_token(cls, options: Mapping[str, str]) -> bool:
        return not options.get("endpoint")

    def test_connection(self) -> ConnectionReport:
        # Plaid has no call for this. It looks for a key, of which there is none, only if it accepts ours.
        started = time.monotonic()
        with suppress(NotFound):
            self._post("test_connection", "/webhook_verification_key/get", {"key_id": NO_KEY}, lambda _answer: None)
        return ConnectionReport(detail="OK", duration_ms=round((time.monotonic() - started) * 1000))

    def create_session(self, new_session: NewSession) -> RemoteSession:
        if new_session.access_token is None:
            url, secret = self.options.get("endpoint", ""), self.secrets.get("endpoint_secret", Secret(""))
            return self._create_at_company(url, secret, new_session, operation=self._operation("create_session"))
        body: dict[str, JsonValue] = {
            "access_token": new_session.access_token,
            "client_name": new_session.company[:LONGEST_COMPANY],
            "language": new_session.language,
            "country_codes": self.options["countries"].replace(" ", "").split(","),
            "user": {"client_user_id": new_session.reference},
            "hosted_link": {
                "url_lifetime_seconds": min(new_session.seconds, LONGEST_SESSION),
                "completion_redirect_uri": new_session.return_url,
            },
        }
        if new_session.choose_accounts:
            body["update"] = {"account_selection_enabled": True}
        return self._post("create_session", "/link/token/create", body, answers.session)

    def read_item_id(self, access_token: Secret) -> str:
        return self._post("read_item_id", "/item/get", {"access_token": access_token}, answers.item_id)

    def read_session(self, token: Secret) -> SessionResult:
        return self._post("read_session", "/link/token/get", {"link_token": token}, answers.session_result)

    def read_webhook_key(self, key_id: str) -> WebhookKey:
        read = partial(answers.webhook_key, key_id=key_id)
        return self._post("read_webhook_key", "/webhook_verification_key/get", {"key_id": key_id}, read)

    def _post(self, call: str, path: str, body: Json, read: Callable[[Answer], T]) -> T:
        keys = {"client_id": self.secrets["client_id"], "secret": self.secrets["secret"]}
        return self._call(call, "POST", path, json={**keys, **body}, read=read)

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        return answers.refusal(operation, answer)
