"""What staff can do at a provider. Each function starts one request, once, and returns its operation.

Every function raises a `Refusal` if our own rules forbid it, after recording it in the audit log.
"""

from uuid import UUID

from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Institution, Link
from linkadmin.providers.types import Secret, Values

from . import encrypted, refusals
from .budget import require_attempt, require_code
from .changes import CHANGES
from .changes.removal import require_no_removal
from .changes.sign_ins import CODE, LINK, SESSION, login_fields
from .models import Operation, OperationKind, PendingChallenge
from .starting import Rules, start
from .states import lock_integration


def create_link(
    *,
    actor: User,
    integration: Integration,
    end_user: EndUser,
    institution: Institution | None,
    values: Values,
    operation_key: UUID,
    natural_key: str = "",
    second_link: bool = False,
) -> Operation:
    """Create a link at the provider. Nothing is sent if the customer already has it, or has one at this bank.

    An unsaved customer or bank is saved with the operation.
    """
    operation = Operation(
        kind=OperationKind.CREATE_LINK,
        integration=integration,
        end_user=end_user,
        institution=institution,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        natural_key=natural_key,
    )

    def rules() -> None:
        require_no_removal(operation)
        _require_new(operation, second_link=second_link)
        require_attempt(operation)

    return _start(operation, values, rules)


def update_credentials(*, actor: User, link: Link, values: Values, operation_key: UUID) -> Operation:
    """One sign-in attempt at most."""
    operation = _on_link(OperationKind.UPDATE_CREDENTIALS, link, values, actor=actor, operation_key=operation_key)

    def rules() -> None:
        require_no_removal(operation)
        if link.is_disconnected or not login_fields(link.integration, link.institution):
            raise refusals.NoCredentials
        require_attempt(operation)

    return _start(operation, values, rules)


def submit_code(*, actor: User, challenge: PendingChallenge, code: Secret | None, operation_key: UUID) -> Operation:
    """`code` is None where the bank expects none."""
    asked, session = challenge.operation, encrypted.session_of(challenge)
    operation = Operation(
        kind=OperationKind.SUBMIT_CODE,
        integration=asked.integration,
        end_user=asked.end_user,
        institution=asked.institution,
        link=asked.link,
        parent=asked,
        actor=actor,
        operation_key=operation_key,
        parameters={"with_code": code is not None},
        good_data_before=asked.good_data_before,
    )

    def rules() -> None:
        if asked.actor_id != actor.pk:
            raise refusals.NotYours
        if not session or challenge.has_expired(timezone.now()):
            raise refusals.ChallengeClosed
        require_code(operation)

    values: dict[str, str | Secret] = {SESSION: session, LINK: challenge.remote_link_id}
    values |= {CODE: code} if code else {}
    return _start(operation, values, rules, answers=challenge)


def change_link(
    *, actor: User, link: Link, kind: OperationKind, values: Values, operation_key: UUID, note: str = ""
) -> Operation:
    """`note` is the reason, if one is required."""
    operation = _on_link(kind, link, values, actor=actor, operation_key=operation_key)
    operation.note = note
    return _change(operation, values)


def change_account(
    *,
    actor: User,
    integration: Integration,
    end_user: EndUser | None = None,
    kind: OperationKind,
    values: Values,
    operation_key: UUID,
    target: str = "",
) -> Operation:
    """`target` is the ID at the provider, if it has one. Without a customer, the change is of our whole account."""
    operation = Operation(
        kind=kind,
        integration=integration,
        end_user=end_user,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        natural_key=target,
    )
    return _change(operation, values)


def _on_link(kind: OperationKind, link: Link, values: Values, *, actor: User, operation_key: UUID) -> Operation:
    return Operation(
        kind=kind,
        integration=link.integration,
        end_user=link.end_user,
        institution=link.institution,
        link=link,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        good_data_before=link.last_good_at,
    )


def _change(operation: Operation, values: Values) -> Operation:
    def rules() -> None:
        if not operation.integration.can(CHANGES[operation.kind].capability):
            raise refusals.ProviderCannot
        require_no_removal(operation)
        if operation.link is None:
            _require_alone(operation)
        elif operation.link.is_disconnected:
            raise refusals.LinkEnded

    return _start(operation, values, rules)


def _start(operation: Operation, values: Values, rules: Rules, *, answers: PendingChallenge | None = None) -> Operation:
    change = CHANGES[operation.kind]
    sent = change.sends(operation, values)

    def all_rules() -> None:
        rules()
        change.check(operation, sent)

    return start(
        operation,
        lambda provider: change.call(provider, operation, sent),
        rules=all_rules,
        name=change.call_name(operation, sent),
        answers=answers,
    )


def _require_alone(operation: Operation) -> None:
    lock_integration(operation.integration_id)
    same = Operation.objects.open().with_names().exclude(pk=operation.pk)
    same = same.filter(kind=operation.kind, integration=operation.integration_id, natural_key=operation.natural_key)
    if rival := same.filter(end_user=operation.end_user_id, link=None).first():
        raise refusals.AlreadyOpen(rival)


def _require_new(operation: Operation, *, second_link: bool) -> None:
    standing = Link.objects.standing().select_related("end_user", "institution", "integration")
    if operation.natural_key:
        same = standing.filter(integration=operation.integration, remote_id=operation.natural_key).first()
        if same:
            raise refusals.DuplicateLink(same, same_item=True)
    if operation.institution and not second_link:
        at_bank = standing.filter(end_user=operation.end_user, institution=operation.institution).first()
        if at_bank:
            raise refusals.DuplicateLink(at_bank, same_item=False)


def _not_secret(values: Values) -> dict[str, str | list[str]]:
    plain = {name: value for name, value in values.items() if not isinstance(value, Secret)}
    return {name: value if isinstance(value, str) else list(value) for name, value in plain.items()}
