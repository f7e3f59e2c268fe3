from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from linkadmin.audit.checks import findings
from linkadmin.audit.verify import verify


class Command(BaseCommand):
    help = (
        "Verify the audit log from its first event and against signed heads. Exit status 0: verified; 1: "
        "broken (names the first bad event) or database triggers missing; 2: truncated or rewritten."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--heads",
            type=Path,
            metavar="FILE",
            help="signed heads: a copy of the heads file or of the log stream (default: LINKADMIN_AUDIT_HEADS_FILE)",
        )

    def handle(self, *args: Any, heads: Path | None = None, **options: Any) -> None:
        report = verify(heads)
        if not report.is_whole:
            raise CommandError(findings(report), returncode=report.verdict)
        self.stdout.write(
            _("Audit log verified: %(events)d events, head %(head)s.") % {"events": report.events, "head": report.head}
        )
        if said := findings(report):
            self.stderr.write(said)
