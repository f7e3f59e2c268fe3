"""Changes that have the provider sign in at the bank: a new link, new credentials, and the code for either."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.roles import Right
from linkadmin.integrations.models import Integration
from linkadmin.links import due_reads
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Institution, Link, Reason
from linkadmin.operations.forms.provider import FilledForm
from linkadmin.operations.link_updates import start_verifying, store_link, works
from linkadmin.operations.models import NOT_REPAIRED, STILL_REFUSED, Operation, OperationKind, State
from linkadmin.providers.base import Provider
from linkadmin.providers.types import (
    Capability,
    Cause,
    CredentialField,
    HealthState,
    NewLink,
    RemoteLink,
    Secret,
    Values,
)

from .row import (
    CLOCK_SKEW,
    NOTHING,
    Change,
    ChangePage,
    Explanation,
    Finding,
    has_new_data,
    has_proof_time_passed,
    provider_of,
    read,
)

SESSION, LINK, CODE = "session", "link", "code"  # values sent with a code


def login_fields(integration: Integration, institution: Institution | None) -> tuple[CredentialField, ...]:
    if institution is not None and institution.is_by_consent:
        return ()
    return integration.provider_class.update_fields(institution)


def _apply(operation: Operation, remote: RemoteLink | None, at: datetime) -> None:
    if remote is None:
        start_verifying(operation, request_id=operation.request_id)
    elif operation.creates_link:
        due_reads.want([store_link(operation, remote, at=at).pk], reason=Reason.REPAIR, at=at)
    elif works(remote.observation):
        start_verifying(operation, request_id=remote.request_id)
    else:
        operation.cause = remote.observation.cause.value
        operation.counts_as_attempt = True
        store_link(operation, remote, at=at)


def _contradicts(operation: Operation, remote: RemoteLink) -> str:
    return "" if operation.creates_link or works(remote.observation) else NOT_REPAIRED


def _prove(operation: Operation, now: datetime) -> Finding[RemoteLink]:
    remote = read(operation.link) if operation.link else _created_link(operation)
    settled = has_proof_time_passed(operation, now)
    if remote is None:
        return Finding(State.CONFIRMED_NOT_DONE, "not_found") if settled and _absence_proves(operation) else NOTHING
    if remote.observation.cause in (Cause.CODE_NEEDED, Cause.UNCONFIRMED):
        return Finding(State.EXPIRED, "code_request_lost", remote) if settled else NOTHING
    if operation.creates_link and operation.link is None:
        return Finding(State.CONFIRMED_DONE, "found", remote)
    if has_new_data(operation, remote) and works(remote.observation):
        return Finding(State.CONFIRMED_DONE, "good_data_since", remote)
    if settled and VERDICTS[remote.observation.cause].state is HealthState.CUSTOMER_LOGIN:
        return Finding(State.CONFIRMED_NOT_DONE, STILL_REFUSED, remote)
    return NOTHING


def _created_link(operation: Operation) -> RemoteLink | None:
    found = provider_of(operation).find_link(
        remote_id=operation.natural_key,
        end_user_id=operation.customer_id,
        institution=operation.institution.name if operation.institution else "",
    )
    if operation.natural_key:
        return next(iter(found), None)
    ids = [link.remote_id for link in found]
    known = set(
        operation.integration.links.filter(remote_id__in=ids, disconnected_at=None).values_list("remote_id", flat=True)
    )
    earliest = operation.began_at - CLOCK_SKEW
    new = [link for link in found if link.remote_id not in known and link.created_at and link.created_at >= earliest]
    return next(iter(new), None)


def _absence_proves(operation: Operation) -> bool:
    # A missing link proves nothing unless we chose its ID, or it existed before.
    return bool(operation.natural_key or operation.link_id)


def _with_fixed_values(operation: Operation, values: Values) -> Values:
    return {**operation.integration.provider_class.fixed_values(operation.institution), **values}


def _create(provider: Provider, operation: Operation, values: Values) -> RemoteLink:
    return provider.create_link(
        NewLink(operation.customer_id, operation.customer_name, institution=operation.ref.institution, values=values)
    )


def _submit_code(provider: Provider, _operation: Operation, values: Values) -> RemoteLink:
    session, code = values[SESSION], values.get(CODE)
    assert isinstance(session, Secret)  # noqa: S101 - for the types
    given = code if isinstance(code, Secret) else None
    return provider.submit_code(session=session, remote_link_id=str(values[LINK]), code=given)


def _typed_before(link: Link) -> Mapping[str, Any]:
    last = Operation.objects.latest_of(link)
    if last is None or last.is_done or not last.logs_in or last.creates_link or last.gives_code:
        return {}
    return dict(last.parameters)


SUBMIT_CODE = Change(
    kind=OperationKind.SUBMIT_CODE,
    capability=Capability.UPDATE_CREDENTIALS,
    right=Right.UPDATE_CREDENTIALS,
    response=RemoteLink,
    call=_submit_code,
    apply=_apply,
    contradicts=_contradicts,
    prove=_prove,
    done=Explanation("ok", _("Done"), _("The provider accepted the request.")),
)
CREATE_LINK = replace(
    SUBMIT_CODE,
    kind=OperationKind.CREATE_LINK,
    capability=Capability.CREATE,
    right=Right.CREATE_LINK,
    call=_create,
    sends=_with_fixed_values,
)
UPDATE_CREDENTIALS = replace(
    SUBMIT_CODE,
    kind=OperationKind.UPDATE_CREDENTIALS,
    call=lambda provider, operation, values: provider.update_credentials(operation.ref, values),
    page=ChangePage(
        slug="credentials",
        icon="key-round",
        title=_("Update credentials"),
        fields=lambda link: login_fields(link.integration, link.institution),
        form=FilledForm,
        initial=_typed_before,
        template="operations/credentials.html",
        is_beside=False,
    ),
)

ROWS = (CREATE_LINK, UPDATE_CREDENTIALS, SUBMIT_CODE)
