from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from linkadmin.links.search import INDEXES


class Command(BaseCommand):
    help = "Compare the search indexes with the data. Exit status 1: an index is missing or out of sync."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild", action="store_true", help="rebuild them first; nothing can be saved in the meantime"
        )

    def handle(self, *args: Any, rebuild: bool = False, **options: Any) -> None:
        if rebuild:
            for index in INDEXES:
                index.drop()
                index.create()
        broken = [str(index.model._meta.db_table) for index in INDEXES if not index.is_sound()]
        if broken:
            raise CommandError(
                _("Search indexes are missing or out of sync with the data: %(names)s. Run check_search --rebuild.")
                % {"names": ", ".join(broken)}
            )
        self.stdout.write(_("Search indexes match the data."))
