"""What is being done to links and is not over, as every page shows it before what is known of them."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.heartbeats import watch
from linkadmin.links.causes import Turn, judge
from linkadmin.links.presentation import UnderWay
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause
from linkadmin.web.badges import StateBadge


def under_way_on(links: Collection[UUID]) -> Mapping[UUID, UnderWay]:
    """Return what is under way on these links; each has one open operation at most."""
    found = Operation.objects.open().filter(link__in=links).select_related("challenge", "integration")
    return {operation.link_id: _under_way(operation) for operation in found if operation.link_id}


def _under_way(operation: Operation) -> UnderWay:
    if operation.state == State.NEEDS_CODE:
        challenge = getattr(operation, "challenge", None)
        is_late = challenge is not None and challenge.has_expired(timezone.now())  # and not noted yet
        asked = judge(Cause.CODE_TOO_LATE if is_late else Cause.CODE_WAITING, is_verifying=False)
        badge = StateBadge(asked.look.tone, asked.look.icon, str(asked.look.label), str(asked.reason))
        requested_at = challenge.received_at if challenge else operation.began_at
        since = challenge.expires_at if challenge is not None and is_late else requested_at
        return UnderWay(badge, since, asked.turn, str(asked.advice))
    label, reason, advice = _words_of(operation)
    is_ours = operation.state == State.NEEDS_DECISION
    badge = StateBadge("warn" if is_ours else "info", "hourglass", label, reason)
    return UnderWay(badge, operation.began_at, Turn.US if is_ours else Turn.NOBODY, advice)


def why_unknown(operation: Operation) -> str:
    """Say why nobody knows what became of an operation: no answer, an error of the provider's, or one we can't read."""
    what = {"provider": operation.integration.provider_label, "status": operation.http_status}
    if not operation.http_status:
        return _("The answer was lost on its way.")
    if operation.http_status < HTTPStatus.BAD_REQUEST:
        return _("%(provider)s's response (%(status)s) couldn't be read.") % what
    return _("%(provider)s reported an error (%(status)s).") % what


def unknown_label(operation: Operation) -> str:
    """Say of an operation whose outcome nobody knows yet that we find it out."""
    if operation.is_awaited:
        checked, waits = _("The provider removes it; checking"), _("The provider removes it; not checked now")
    else:
        checked, waits = _("Outcome unknown: checking"), _("Outcome unknown: not checked now")
    return watch.ongoing(checked, waits)


def _words_of(operation: Operation) -> tuple[str, str, str]:
    """Return how far an operation is, why, and what that means for the reader."""
    what = str(operation.get_kind_display())
    if operation.is_awaited:
        taken_on = _("It took the removal on and does it in its own time.")
        read = watch.ongoing(_("We read its records until the link is gone."))
        return unknown_label(operation), what, f"{taken_on} {read}"
    if operation.state == State.NEEDS_DECISION:
        decide = _("An account manager who did not start it has to decide.")
        return _("Unknown: a person must decide"), what, f"{why_unknown(operation)} {decide}"
    if operation.state == State.UNKNOWN or operation.is_lost:
        wait = _("Nothing is sent again before we know what happened.")
        return unknown_label(operation), what, f"{why_unknown(operation)} {wait}"
    label = _("Contacting the bank") if operation.logs_in else _("Contacting the provider")
    return label, what, _("A call is under way. Its panel shows the answer as soon as it comes.")
