"""What keeps a call from being made, and where the outcome of a click is shown."""

from django.conf import settings
from django.urls import reverse

from linkadmin.integrations import call_pool
from linkadmin.integrations.alerts import why_keys
from linkadmin.integrations.models import Integration
from linkadmin.integrations.rate_limiter import why_denied
from linkadmin.operations.models import Operation, OperationKind, State


def why_paused(integration: Integration, call: str) -> str:
    """Return the words for why a call would be held back now; empty if it would be made."""
    return why_keys(integration) or why_denied(integration, call)


def outcome_of(operation: Operation) -> Operation:
    """Wait a moment for the end of a call, and return the operation as it is then."""
    call_pool.wait_for(operation.pk, settings.OPERATION_ANSWER_SECONDS)
    return Operation.objects.with_names().get(pk=operation.pk)


def place_of(operation: Operation) -> str:
    """Return the page that shows where an operation stands: its state decides."""
    if operation.state == State.NEEDS_CODE and operation.link_id:
        return reverse("link-token", args=[operation.link_id])
    # What a good answer told is on the operation's own page.
    if operation.is_done and operation.link_id and operation.kind != OperationKind.REPAIR_URL:
        return reverse("link-detail", args=[operation.link_id])
    return operation.get_absolute_url()
