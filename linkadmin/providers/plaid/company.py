"""The company's own endpoint for repair pages: it has the access tokens, so that we never see one.

docs/plaid.md has the contract.
"""

from http import HTTPStatus

from linkadmin.providers.errors import Failure, NewConnectionNeeded, NotFound, ProviderError, Rejected
from linkadmin.providers.http.admission import Admission
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.http.client import HttpClient
from linkadmin.providers.http.retries import Backoff, RetryPolicy
from linkadmin.providers.http.signed_requests import LARGEST, SECONDS, host_of, origin_of, signed
from linkadmin.providers.records import RemoteSession
from linkadmin.providers.types import NewSession, Secret

from . import answers

REFUSALS = {HTTPStatus.NOT_FOUND: NotFound, HTTPStatus.CONFLICT: NewConnectionNeeded}


def create_session(
    url: str,
    secret: Secret,
    new_session: NewSession,
    *,
    operation: str,
    admission: Admission,
    allow_loopback: bool,
    backoff: Backoff | None,
) -> RemoteSession:
    client = HttpClient(
        origin_of(url),
        allowed_hosts={host_of(url)},
        allow_loopback=allow_loopback,
        keys=(secret,),
        admission=admission,
        backoff=backoff,
        largest=LARGEST,
    )
    return client.call(
        operation,
        signed(url, secret, _content(new_session)),
        deadline=SECONDS,
        read=answers.session,
        refuse=lambda answer: _refusal(operation, answer),
        rate=lambda _answer, _error: None,
        policy=RetryPolicy.READ,
    )


def _content(new_session: NewSession) -> dict[str, object]:
    return {
        "item_id": new_session.item_id,
        "reference": new_session.reference,
        "language": new_session.language,
        "url_lifetime_seconds": new_session.seconds,
        "completion_redirect_uri": new_session.return_url,
        "account_selection_enabled": new_session.choose_accounts,
    }


def _refusal(operation: str, answer: Answer) -> ProviderError:
    # Its words aren't shown: the people who run it read them in its own log.
    failure = Failure(operation, status=answer.status, reason="company_endpoint", body=answer.body)
    return REFUSALS.get(HTTPStatus(answer.status), Rejected)(failure)
