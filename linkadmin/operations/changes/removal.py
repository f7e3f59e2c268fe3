"""Deleting a link, with all links its provider disconnects with it."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from linkadmin.accounts.roles import Right
from linkadmin.links import health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.links.presentation import standings
from linkadmin.operations import refusals
from linkadmin.operations.forms.provider import RemovalForm
from linkadmin.operations.link_updates import links_that_go, links_that_may_have_gone
from linkadmin.operations.models import Operation, OperationKind, OperationQuerySet, State
from linkadmin.operations.states import lock_integration
from linkadmin.providers.records import Reach, Removed
from linkadmin.providers.types import Capability, Cause, HealthState, Observation, RemoteLink, Values

from .row import NOTHING, Change, ChangePage, Explanation, Finding, has_proof_time_passed, link_of, read

# Status of links after a removal whose response was lost, or that a person confirmed.
CAUSES = {Reach.LINK: Cause.REMOVED, Reach.CUSTOMER: Cause.SWITCHED_OFF}


def require_no_removal(operation: Operation) -> None:
    """Raises a `Refusal` while all links of the customer are being deleted. May lock the integration."""
    if operation.end_user is None or operation.integration.provider_class.removal_reach is not Reach.CUSTOMER:
        return
    lock_integration(operation.integration_id)
    if removal := _others_of_customer(operation).filter(kind=OperationKind.REMOVE_LINK).first():
        raise refusals.AlreadyOpen(removal)


def _require_no_open_operation(operation: Operation, _values: Values) -> None:
    is_wide = operation.integration.provider_class.removal_reach is Reach.CUSTOMER
    if is_wide and (busy := _others_of_customer(operation).first()):
        raise refusals.AlreadyOpen(busy)


def _others_of_customer(operation: Operation) -> OperationQuerySet:
    others = Operation.objects.open().with_names().exclude(pk=operation.pk)
    return others.filter(integration=operation.integration_id, end_user=operation.end_user)


def _removed(operation: Operation, removed: Removed | None, at: datetime) -> None:
    known = removed.cause.value if removed else operation.result.get("cause")
    cause = Cause(known) if known else CAUSES[operation.integration.provider_class.removal_reach]
    operation.result = {"cause": cause.value}
    if removed and not removed.finished:
        return
    gone = links_that_go(link_of(operation))
    for link in gone:
        seen = Observation(cause=cause, raw_status=link.raw_status)
        health.observe(link, health.Report(seen, health.Source.CALL, at, operation.pk, operation.request_id))
    operation.result |= {"links": len(gone)}


def _find_gone(operation: Operation, now: datetime) -> Finding[Removed]:
    link = link_of(operation)
    if link.integration.provider_class.removal_reach is Reach.CUSTOMER:
        found = [read(each) for each in links_that_may_have_gone(operation, link)]
        gone = bool(found) and all(remote is None or _has_ended(remote) for remote in found)
        stands = any(remote is not None and not _has_ended(remote) for remote in found)
    else:
        # A link disconnected for another reason proves nothing: it may have been before.
        gone = read(link) is None
        stands = not gone
    if gone:
        return Finding(State.CONFIRMED_DONE, "gone")
    # The provider accepted it and works at its own pace: a link that's still there proves nothing.
    if stands and has_proof_time_passed(operation, now) and not operation.is_accepted:
        return Finding(State.CONFIRMED_NOT_DONE, "still_there")
    return NOTHING


def _has_ended(remote: RemoteLink) -> bool:
    return VERDICTS[remote.observation.cause].state is HealthState.DISCONNECTED


def _done(operation: Operation) -> Explanation:
    count = operation.result.get("links", 1)
    ended = ngettext("%(count)d link disconnected.", "%(count)d links disconnected.", count) % {"count": count}
    is_off = operation.result.get("cause") == Cause.SWITCHED_OFF.value
    title = _("Disconnected at the provider") if is_off else _("Deleted at the provider")
    return Explanation("ok", title, ended, _("Reconnect if the customer wants it back."))


def _affected_links(link: Link) -> dict[str, Any]:
    provider_class, going = link.integration.provider_class, links_that_go(link)
    return {
        "going": [(each, stand.state) for each, stand in zip(going, standings(going).values(), strict=True)],
        "takes_all": provider_class.removal_reach is Reach.CUSTOMER,
        "consequence": _(provider_class.removal_consequence),
    }


REMOVAL = Change(
    kind=OperationKind.REMOVE_LINK,
    capability=Capability.REMOVE_LINK,
    right=Right.REMOVE_LINK,
    response=Removed,
    call=lambda provider, operation, values: provider.remove_link(operation.ref, values),
    call_name=lambda operation, values: operation.integration.provider_class.removal_call(values),
    check=_require_no_open_operation,
    apply=_removed,
    prove=_find_gone,
    done=_done,
    page=ChangePage(
        slug="delete",
        icon="trash-2",
        title=_("Delete link"),
        lead=_("If you can, repair the link instead."),
        fields=lambda link: link.integration.provider_class.removal_fields,
        form=RemovalForm,
        context=_affected_links,
        is_danger=True,
        is_beside=False,
    ),
)

ROWS = (REMOVAL,)
