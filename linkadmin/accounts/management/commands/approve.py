from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from linkadmin.accounts.models import ApprovalKind, ApprovalState
from linkadmin.accounts.staff import approvals

logger = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "List approval requests, or decide one for which no other administrator is left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request", nargs="?", type=UUID, help="ID of a request (default: list all)")
        parser.add_argument("--reject", action="store_true", help="reject it instead")

    def handle(self, *args: Any, request: UUID | None = None, reject: bool = False, **options: Any) -> None:
        if request is None:
            self._list()
            return
        try:
            approvals.decide(request, ApprovalState.REJECTED if reject else ApprovalState.APPROVED, by=None)
        except approvals.NotPending:
            raise CommandError(_("There is no pending request with this ID.")) from None
        except PermissionDenied:
            raise CommandError(_("Another administrator can decide this in Linkadmin.")) from None
        if not reject:
            logger.error("access.approved", approval_id=str(request))
        self.stdout.write(_("Request rejected.") if reject else _("Request approved."))

    def _list(self) -> None:
        requests = list(approvals.pending().order_by("asked_at"))
        for each in requests:
            asked = f"{each.asked_by}  {each.asked_at:%Y-%m-%d %H:%M}"
            self.stdout.write(
                f"{each.pk}  {each.get_kind_display()}  {each.person}  {each.get_roles_display()}  {asked}"
            )
        if any(each.kind == ApprovalKind.PASSWORD for each in requests):
            self.stdout.write(_("Before you approve a new password, ask the person by phone whether they chose it."))
        if not requests:
            self.stdout.write(_("No request is pending."))
