from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from linkadmin.audit.verify import verify


class Command(BaseCommand):
    help = "Recompute the audit trail from its first event. Exit status 0: whole; 1: broken, with the first bad event."

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify()
        if report.broken:
            raise CommandError(
                _("The audit trail is broken at event %(seq)d: %(reason)s. %(good)d events before it are good.")
                % {"seq": report.broken.seq, "reason": report.broken.reason, "good": report.events},
                returncode=1,
            )
        self.stdout.write(
            _("The audit trail is whole: %(events)d events, head %(head)s.")
            % {"events": report.events, "head": report.head}
        )
