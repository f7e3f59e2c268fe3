"""Belvo: links to banks, tax offices and employers in Latin America, with logins typed by staff.

https://developers.belvo.com/apis/belvoopenapispec
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar

from . import belvo_answers as answers
from . import belvo_forms as forms
from .base import InstitutionFields, Provider
from .errors import Failure, NotFound, ProviderError, Unsupported
from .http import Answer
from .types import (
    Capability,
    ConnectionReport,
    CredentialField,
    FieldKind,
    LinkRef,
    NewLink,
    RemoteInstitution,
    RemoteLink,
    Secret,
    Value,
    Values,
)

_PAGE_SIZE = 100
_MAX_PAGES = 200  # a catalogue that never ends is not read for ever


class Belvo(Provider):
    """Belvo's API, spoken with the secret keys of one environment."""

    kind = "belvo"
    label = "Belvo"
    capabilities = frozenset({Capability.CREATE, Capability.UPDATE_CREDENTIALS, Capability.INSTITUTIONS})
    allowed_hosts = frozenset({"api.belvo.com", "sandbox.belvo.com", "development.belvo.com"})
    remote_id_label = "Link id"
    config_fields = (
        CredentialField("secret_id", "Secret id", FieldKind.PASSWORD, secret=True),
        CredentialField("secret_password", "Secret password", FieldKind.PASSWORD, secret=True),
    )

    # The calls in which Belvo logs in at the bank: a trouble in one of them says something about the link.
    BANK_CALLS: ClassVar[frozenset[str]] = frozenset(
        {"belvo.create_link", "belvo.update_credentials", "belvo.submit_token"}
    )

    def test_connection(self) -> ConnectionReport:
        """Ask for the shortest page that needs good keys."""
        return self._call(
            "test_connection", "GET", "/api/institutions/", params={"page_size": "1"}, read=answers.report
        )

    @classmethod
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return what this institution asks for, in its order."""
        return forms.create_fields(institution)

    @classmethod
    def update_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return what can be given anew; never a user name, which Belvo does not change."""
        return forms.update_fields(institution)

    @classmethod
    def fixed_values(cls, institution: InstitutionFields | None) -> Mapping[str, str]:
        """Return the hidden fields of this institution's form."""
        return forms.fixed_values(institution)

    def create_link(self, new_link: NewLink) -> RemoteLink:
        """Register a link: Belvo logs in at the bank, which may take minutes or ask for a code."""
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
            read=answers.link,
        )

    def update_credentials(self, link: LinkRef, values: Values) -> RemoteLink:
        """Give new credentials: Belvo logs in at the bank, which may take minutes or ask for a code."""
        return self._call(
            "update_credentials",
            "PUT",
            "/api/links/{}/",
            link.remote_id,
            json=_filled(values, forms.UPDATE_NAMES),
            deadline=self.deadlines.credentials,
            read=partial(answers.link, expected_id=link.remote_id),
            refuse=partial(self._refuse, link_id=link.remote_id),
        )

    def submit_token(self, *, session: Secret, remote_link_id: str, token: Secret | None) -> RemoteLink:
        """Resume a login attempt. The path has no link id: with one it would change the link's settings."""
        body: dict[str, str | Secret] = {"session": session, "link": remote_link_id}
        if token:
            body["token"] = token
        return self._call(
            "submit_token",
            "PATCH",
            "/api/links/",
            json=body,
            deadline=self.deadlines.credentials,
            read=partial(answers.link, expected_id=remote_link_id),
            refuse=partial(self._refuse, link_id=remote_link_id),
        )

    def read_link(self, link: LinkRef) -> RemoteLink:
        """Read Belvo's record of a link."""
        return self._call(
            "read_link",
            "GET",
            "/api/links/{}/",
            link.remote_id,
            read=partial(answers.link, expected_id=link.remote_id),
        )

    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        """Return the customer's links at this institution, older ones too.

        Finding none proves nothing: Belvo drops an external id that looks personal. Raises Unsupported for a customer
        whose id Belvo was never given.
        """
        if remote_id:
            return self._find_by_id(remote_id)
        if not forms.is_external_id(end_user_id):
            raise Unsupported(Failure(self._operation("find_link"), reason="no_external_id"))
        params = {"external_id": end_user_id, "institution": institution, "page_size": str(_PAGE_SIZE)}
        found = self._call("find_link", "GET", "/api/links/", params=params, read=answers.links)
        # Should the filter be ignored, another customer's link must not pass for this one's.
        return [link for link in found if (link.external_id, link.institution) == (end_user_id, institution)]

    def list_institutions(self) -> Iterator[RemoteInstitution]:
        """Yield the catalogue page by page."""
        for page in range(1, _MAX_PAGES + 1):
            # Belvo's own "next" is never followed: it could lead our keys to another host.
            params = {"page": str(page), "page_size": str(_PAGE_SIZE)}
            found, is_last = self._call(
                "list_institutions", "GET", "/api/institutions/", params=params, read=answers.institutions
            )
            yield from found
            if is_last:
                return

    def _find_by_id(self, remote_id: str) -> list[RemoteLink]:
        try:
            return [self.read_link(LinkRef(remote_id=remote_id, end_user_id=""))]
        except NotFound:
            return []

    def _basic_auth(self) -> tuple[Secret, Secret]:
        return self.secrets["secret_id"], self.secrets["secret_password"]

    def _refuse(self, operation: str, answer: Answer, *, link_id: str = "") -> ProviderError:
        return answers.refusal(operation, answer, link_id=link_id, at_bank=operation in self.BANK_CALLS)


def _filled(values: Values, names: tuple[str, ...]) -> dict[str, Value]:
    return {name: values[name] for name in names if values.get(name)}
