"""What a person can have done at a provider. Each function starts one call, once, and returns its operation.

Every function raises a `Refusal` when our own rules forbid it; the refusal is in the audit trail before it is raised.
"""

from functools import partial
from uuid import UUID

from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Institution, Link
from linkadmin.providers.base import Provider
from linkadmin.providers.records import Reach
from linkadmin.providers.types import NewLink, RemoteLink, Secret, Values

from . import encrypted, refusals
from .budget import require_attempt, require_code
from .changes import CHANGES, differing, login_fields, subject_of, would_repeat_refusal
from .models import Operation, OperationKind, OperationQuerySet, PendingChallenge
from .starting import Rules, start


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
    """Create a link at the provider. Stops before any call when the customer has it, or one at this bank, already.

    A customer or bank that is not saved yet is saved with the operation.
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
    new_link = NewLink(
        end_user_id=end_user.external_id,
        end_user_name=end_user.name,
        institution=institution.name if institution else "",
        values={**integration.provider_class.fixed_values(institution), **values},
    )

    def rules() -> None:
        _require_no_removal(operation)
        _require_new(operation, second_link=second_link)
        require_attempt(operation)

    return start(operation, lambda provider: provider.create_link(new_link), rules=rules)


def update_credentials(*, actor: User, link: Link, values: Values, operation_key: UUID) -> Operation:
    """Give the bank's new credentials to the provider: one log-in attempt at the bank, at most."""
    operation = Operation(
        kind=OperationKind.UPDATE_CREDENTIALS,
        integration=link.integration,
        end_user=link.end_user,
        institution=link.institution,
        link=link,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        good_data_before=link.last_good_at,
    )

    def rules() -> None:
        _require_no_removal(operation)
        _require_form(link)
        require_attempt(operation)

    return start(operation, lambda provider: provider.update_credentials(link.ref, values), rules=rules)


def submit_code(*, actor: User, challenge: PendingChallenge, token: Secret | None, operation_key: UUID) -> Operation:
    """Give the bank's one-time code to the provider, or tell it to go on where no code is expected."""
    asked = challenge.operation
    operation = Operation(
        kind=OperationKind.SUBMIT_CODE,
        integration=asked.integration,
        end_user=asked.end_user,
        institution=asked.institution,
        link=asked.link,
        parent=asked,
        actor=actor,
        operation_key=operation_key,
        parameters={"with_code": token is not None},
        good_data_before=asked.good_data_before,
    )
    session = encrypted.session_of(challenge)

    def rules() -> None:
        if asked.actor_id != actor.pk:
            raise refusals.NotYours
        if not session or challenge.has_expired(timezone.now()):
            raise refusals.ChallengeOver
        require_code(operation)

    call = partial(_resume, session=session, remote_link_id=challenge.remote_link_id, token=token)
    return start(operation, call, rules=rules, answers=challenge)


def change_link(
    *, actor: User, link: Link, kind: OperationKind, values: Values, operation_key: UUID, note: str = ""
) -> Operation:
    """Have something about a link changed, fetched, made or removed; `note` is the reason, where one is asked for.

    Of settings only those are sent that are not the link's present ones.
    """
    operation = Operation(
        kind=kind,
        integration=link.integration,
        end_user=link.end_user,
        institution=link.institution,
        link=link,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        good_data_before=link.last_good_at,
        note=note,
    )
    sent = differing(link, values) if kind == OperationKind.CHANGE_SETTINGS else values
    if kind == OperationKind.CHANGE_SETTINGS:
        operation.result = {"sent": sorted(sent)}

    def rules() -> None:
        if link.is_disconnected:
            raise refusals.LinkEnded
        if kind == OperationKind.CHANGE_SETTINGS and not sent:
            raise refusals.NothingToChange
        if kind == OperationKind.REFRESH_DATA and would_repeat_refusal(link):
            raise refusals.LoginRefusedBefore
        if kind == OperationKind.REMOVE_LINK:
            _require_quiet(operation)

    return _change(operation, sent, rules=rules)


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
    """Have something changed that a provider keeps beside links: of a customer, or of our whole account.

    `target` is its id at the provider, if it has one.
    """
    operation = Operation(
        kind=kind,
        integration=integration,
        end_user=end_user,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        natural_key=target,
    )
    return _change(operation, values, rules=partial(_require_alone, operation))


def _change(operation: Operation, values: Values, *, rules: Rules) -> Operation:
    """Make a change of the table, once, if the provider can."""
    change, about = CHANGES[operation.kind], subject_of(operation)

    def all_rules() -> None:
        if not operation.integration.can(change.capability):
            raise refusals.ProviderCannot
        _require_no_removal(operation)
        rules()

    is_removal = operation.kind == OperationKind.REMOVE_LINK
    name = operation.integration.provider_class.removal_call(values) if is_removal else ""
    return start(operation, lambda provider: change.call(provider, about, values), rules=all_rules, name=name)


def _require_quiet(operation: Operation) -> None:
    """Refuse a removal that takes along a link on which something is under way."""
    if operation.integration.provider_class.removal_reach is Reach.CUSTOMER:
        busy = _others_of_customer(operation).first()
        if busy:
            raise refusals.AlreadyOpen(busy)


def _require_no_removal(operation: Operation) -> None:
    """Refuse whatever concerns a customer whose links are all being removed."""
    if operation.end_user is None or operation.integration.provider_class.removal_reach is not Reach.CUSTOMER:
        return
    _hold(operation.integration_id)
    removal = _others_of_customer(operation).filter(kind=OperationKind.REMOVE_LINK).first()
    if removal:
        raise refusals.AlreadyOpen(removal)


def _others_of_customer(operation: Operation) -> OperationQuerySet:
    """Return the other open operations of an operation's customer in its integration."""
    others = Operation.objects.open().with_names().exclude(pk=operation.pk)
    return others.filter(integration=operation.integration_id, end_user=operation.end_user)


def _hold(integration_id: UUID) -> None:
    """Let no other change of an integration be prepared until this one's intent is committed."""
    Integration.objects.select_for_update(no_key=True).get(pk=integration_id)


def _require_alone(operation: Operation) -> None:
    """Refuse a change while the same one of the same thing is not over."""
    _hold(operation.integration_id)
    same = Operation.objects.open().with_names().exclude(pk=operation.pk)
    same = same.filter(kind=operation.kind, integration=operation.integration_id, natural_key=operation.natural_key)
    rival = same.filter(end_user=operation.end_user_id, link=None).first()
    if rival:
        raise refusals.AlreadyOpen(rival)


def _resume(provider: Provider, *, session: Secret, remote_link_id: str, token: Secret | None) -> RemoteLink:
    return provider.submit_code(session=session, remote_link_id=remote_link_id, token=token)


def _require_new(operation: Operation, *, second_link: bool) -> None:
    """Refuse a link the customer has already, and a second one at a bank unless it is wanted."""
    standing = Link.objects.standing().select_related("end_user", "institution", "integration")
    if operation.natural_key:
        same = standing.filter(integration=operation.integration, remote_id=operation.natural_key).first()
        if same:
            raise refusals.DuplicateLink(same, same_item=True)
    if operation.institution and not second_link:
        at_bank = standing.filter(end_user=operation.end_user, institution=operation.institution).first()
        if at_bank:
            raise refusals.DuplicateLink(at_bank, same_item=False)


def _require_form(link: Link) -> None:
    if link.is_disconnected or not login_fields(link.integration, link.institution):
        raise refusals.NoCredentials


def _not_secret(values: Values) -> dict[str, str | list[str]]:
    """Return what was typed and is not secret, as it is stored."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Secret)}
    return {name: value if isinstance(value, str) else list(value) for name, value in plain.items()}
