"""Tinbank: a made-up provider with its own terms. It shows what one module and one registry line give you."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

from linkadmin.providers import deliveries
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import (
    CodeExpired,
    CodeRequired,
    Duplicate,
    Failure,
    InvalidInput,
    KeysRejected,
    NotFound,
    ProviderError,
    Rejected,
    SignInRejected,
)
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.reading import count, mapping, moment, records, required_mapping
from linkadmin.providers.records import WebhookHint, WebhookKind
from linkadmin.providers.types import (
    Capability,
    Cause,
    Challenge,
    ChallengeKind,
    Choice,
    ConnectionReport,
    CredentialField,
    FieldKind,
    InstitutionFields,
    LinkRef,
    NewLink,
    Observation,
    RemoteLink,
    Secret,
    Values,
)

STATES: Mapping[str, Cause] = {
    "shiny": Cause.WORKING,
    "rusty": Cause.PASSWORD_WRONG,
    "tan_needed": Cause.CODE_NEEDED,
    "melted": Cause.GONE,
}
REFUSALS: Mapping[str, tuple[type[ProviderError], Cause | None]] = {
    "pin_refused": (SignInRejected, Cause.PASSWORD_WRONG),
    "tan_late": (CodeExpired, Cause.CODE_TOO_LATE),
    "card_unreadable": (InvalidInput, None),
    "tin_known": (Duplicate, None),
    "no_such_tin": (NotFound, Cause.GONE),
    "key_unknown": (KeysRejected, None),
}
RATTLES: Mapping[str, WebhookKind] = {"tin_rusted": WebhookKind.LINK_TROUBLE, "tin_fed": WebhookKind.DATA_ARRIVED}
PIN = CredentialField("pin", "Card PIN", FieldKind.PASSWORD, secret=True, max_length=12)
CARD_KIND = CredentialField(
    "card_kind",
    "Kind of card",
    FieldKind.SELECT,
    choices=(
        Choice("debit", "Debit card", r"^\d{8}$", "A debit card has 8 digits"),
        Choice("credit", "Credit card", r"^\d{12}$", "A credit card has 12 digits"),
    ),
    governs="card_number",
)


class Tinbank(Provider):
    """Tinbank's API, called with one pass key, in one region."""

    kind = "tin_bank"
    label = "Tinbank"
    capabilities = frozenset({Capability.CREATE, Capability.UPDATE_CREDENTIALS, Capability.WEBHOOK_DELIVERIES})
    allowed_hosts = frozenset({"api.tinbank.example"})
    remote_id_label = "Tin number"
    config_fields = (
        CredentialField("pass_key", "Pass key", FieldKind.PASSWORD, secret=True),
        CredentialField(
            "region", "Region", FieldKind.SELECT, choices=(Choice("north", "The north"), Choice("south", "The south"))
        ),
    )
    webhook_fields = (CredentialField("rattle", "Rattle", FieldKind.PASSWORD, secret=True),)
    FRESH_FOR: ClassVar[timedelta] = timedelta(days=2)

    def test_connection(self) -> ConnectionReport:
        return self._call("test_connection", "GET", "/v9/{}/whoami", self.options["region"], read=_report)

    @classmethod
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        return (CARD_KIND, CredentialField("card_number", "Card number", secret=True), PIN)

    @classmethod
    def update_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        return (PIN,)

    @classmethod
    def webhook_is_genuine(cls, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> bool:
        return deliveries.is_one_of(deliveries.octets(headers.get("tin-rattle", "")), deliveries.keys(secrets))

    @classmethod
    def read_webhook(cls, body: bytes) -> WebhookHint:
        said = deliveries.message(body)
        rattle = deliveries.topic(said.get("rattle"))
        kind = RATTLES.get(rattle, WebhookKind.UNKNOWN)
        return WebhookHint(kind, rattle, rattle in RATTLES, remote_link_id=deliveries.identifier(said.get("no")))

    def create_link(self, new_link: NewLink) -> RemoteLink:
        typed = new_link.values
        return self._call(
            "create_link",
            "POST",
            "/v9/{}/tins",
            self.options["region"],
            json={
                "holder": new_link.end_user_id,
                "card": {"kind": typed.get("card_kind", ""), "number": typed.get("card_number", "")},
                "pin": typed.get("pin", ""),
            },
            deadline=self.deadlines.credentials,
            read=self._link_or_tan,
        )

    def update_credentials(self, link: LinkRef, values: Values) -> RemoteLink:
        return self._call(
            "update_credentials",
            "POST",
            "/v9/{}/tins/{}/pin",
            self.options["region"],
            link.remote_id,
            json={"pin": values.get("pin", "")},
            deadline=self.deadlines.credentials,
            read=self._link_or_tan,
        )

    def submit_code(self, *, session: Secret, remote_link_id: str, code: Secret | None) -> RemoteLink:
        return self._call(
            "submit_code",
            "POST",
            "/v9/{}/tans",
            self.options["region"],
            json={"ticket": session, "tan": code or ""},
            deadline=self.deadlines.credentials,
            read=self._link_or_tan,
        )

    def read_link(self, link: LinkRef) -> RemoteLink:
        return self._call("read_link", "GET", "/v9/{}/tins/{}", self.options["region"], link.remote_id, read=_tin)

    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        params = {"holder": end_user_id}
        return self._call("find_link", "GET", "/v9/{}/tins", self.options["region"], params=params, read=_tins)

    def _key_headers(self) -> Mapping[str, Secret]:
        return {"Authorization": Secret(f"Bearer {self.secrets['pass_key'].reveal()}")}

    def _link_or_tan(self, answer: Answer) -> RemoteLink | ProviderError:
        """Parse the response to a sign-in. A request for a code is a 2xx there, not an error."""
        said = mapping(answer.data)
        return _tan_needed(answer, said) if said.get("state") == "tan_needed" else _tin(answer)

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        oops = mapping(mapping(answer.data).get("oops"))
        word, words = answer.term(oops.get("word"), REFUSALS), answer.words(oops.get("say"))
        failure = Failure(
            operation=operation,
            status=answer.status,
            code=word,
            words=words,
            request_id=answer.identifier(oops.get("trace")),
            fields={answer.words(oops["at"]): words} if oops.get("at") else {},
        )
        error, cause = REFUSALS.get(word, (Rejected, None))
        return error(failure, Observation(cause, raw_code=word, raw_words=words) if cause else None)


def _report(answer: Answer) -> ConnectionReport:
    return ConnectionReport(answer.words(required_mapping(answer.data).get("you")), answer.duration_ms)


def _tin(answer: Answer) -> RemoteLink:
    return _link(answer, required_mapping(required_mapping(answer.data).get("tin")))


def _tins(answer: Answer) -> list[RemoteLink]:
    listed = required_mapping(answer.data).get("tins")
    if not isinstance(listed, list):
        raise ValueError("the list is missing")
    found, _odd = records(listed, partial(_link, answer))
    return found


def _link(answer: Answer, tin: Mapping[str, object]) -> RemoteLink:
    number, state = answer.identifier(tin.get("no")), answer.term(tin.get("state"), STATES)
    if not number or not state:
        raise ValueError("a tin without number or state")
    fed = moment(tin.get("fed"))
    return RemoteLink(
        remote_id=number,
        observation=Observation(STATES.get(state, Cause.UNRECOGNIZED), raw_status=state, last_good_at=fed),
        created_at=moment(tin.get("opened")),
        fresh_for=Tinbank.FRESH_FOR,
    )


def _tan_needed(answer: Answer, said: Mapping[str, object]) -> ProviderError:
    ticket, number = said.get("ticket"), answer.identifier(said.get("no"))
    if not isinstance(ticket, str) or not ticket or not number:
        raise ValueError("a code step that cannot be continued")
    show = answer.words(said.get("show"))
    challenge = Challenge(
        session=Secret(ticket),
        remote_link_id=number,
        expires_in=count(said.get("seconds")) or 60,
        kind=ChallengeKind.NUMERIC if show else ChallengeKind.CODE,
        instructions=answer.words(said.get("say")),
        value=show,
    )
    return CodeRequired(Failure("tin_bank.sign_in", status=answer.status, code="tan_needed"), challenge)
