"""A repair request as an SMS or WhatsApp message, through the company's own webhook. docs/repair-requests.md has the
contract.
"""

from django.conf import settings

from linkadmin.accounts.external.mail import SendResult
from linkadmin.audit.log import Outcome
from linkadmin.links.models import RepairRequest
from linkadmin.providers.errors import Failure, NotSent, ProviderError, Rejected
from linkadmin.providers.http.admission import AttemptResult, Permit
from linkadmin.providers.http.client import HttpClient
from linkadmin.providers.http.retries import RetryPolicy
from linkadmin.providers.http.signed_requests import LARGEST, SECONDS, host_of, origin_of, signed
from linkadmin.providers.types import Secret

from .messages import with_url
from .tokens import url_of

OPERATION = "message_webhook.send"


class _Unlimited:
    """Admits every call: how many messages there are is decided before."""

    def admit(self, call: str, *, seconds: float) -> Permit:
        return self

    def record(self, result: AttemptResult) -> None:
        pass

    def may_retry(self) -> bool:
        return False

    def release(self, result: AttemptResult | None) -> None:
        pass


def post(request: RepairRequest, phone: str, token: str, *, origin: str) -> SendResult:
    url, secret = settings.MESSAGE_WEBHOOK_URL, Secret(settings.MESSAGE_WEBHOOK_SECRET)
    client = HttpClient(
        origin_of(url),
        allowed_hosts={host_of(url)},
        allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS,
        keys=(secret, Secret(token)),
        admission=_Unlimited(),
        largest=LARGEST,
    )
    content = {
        "request_id": str(request.pk),
        "phone": phone,
        "language": request.language,
        "text": with_url(request.message, url_of(token, origin), request.language, until=request.expires_at),
    }
    try:
        client.call(
            OPERATION,
            signed(url, secret, content),
            deadline=SECONDS,
            read=lambda _answer: True,
            refuse=lambda answer: Rejected(Failure(OPERATION, status=answer.status, body=answer.body)),
            rate=lambda _answer, _error: None,
            policy=RetryPolicy.NEVER,
        )
    except ProviderError as error:
        return SendResult(_outcome_of(error), _words_of(error.failure))
    return SendResult(Outcome.DONE)


def _outcome_of(error: ProviderError) -> Outcome:
    if isinstance(error, NotSent):
        return Outcome.NOT_SENT
    return Outcome.UNKNOWN if error.outcome_unknown else Outcome.REJECTED


def _words_of(failure: Failure) -> str:
    """Without the webhook's own words, which may repeat the message."""
    return f"status {failure.status}" if failure.status else failure.reason
