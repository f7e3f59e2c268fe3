"""The workers' part of reading what the providers know."""

import structlog
from celery import shared_task
from django.utils import timezone

from linkadmin.links.models import Integration
from linkadmin.nudges import nudge
from linkadmin.providers.errors import ProviderError

from . import institutions

logger = structlog.get_logger(__name__)


@shared_task(name="sync.nudge_institutions")
def nudge_institutions() -> None:
    for integration in institutions.due(now=timezone.now()):
        nudge("sync.read_institutions", integration.pk)


@shared_task(name="sync.read_institutions")
def read_institutions(integration_id: str) -> None:
    integration = Integration.objects.filter(pk=integration_id, is_active=True).first()
    if integration is None or not integration.lists_institutions:
        return
    try:
        institutions.read_institutions(integration)
    except ProviderError as error:
        logger.warning("institutions.not_read", integration=integration_id, error=type(error).__name__)
