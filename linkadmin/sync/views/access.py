"""What the pages of providers' records load first, or answer 404."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from linkadmin.integrations.models import Integration
from linkadmin.providers.types import Capability


def integration_that_can(pk: UUID, capability: Capability) -> Integration:
    """Return an integration whose provider can do something, or raise 404."""
    return get_object_or_404(Integration.objects.that_can(capability), pk=pk)
