from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from linkadmin.links.search import INDEXES


class Command(BaseCommand):
    help = "Compare the search indexes with the texts they index. Exit status 1: an index is missing or differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild", action="store_true", help="build them again first; nothing can be saved meanwhile"
        )

    def handle(self, *args: Any, rebuild: bool = False, **options: Any) -> None:
        if rebuild:
            for index in INDEXES:
                index.drop()
                index.create()
        broken = [str(index.model._meta.db_table) for index in INDEXES if not index.is_sound()]
        if broken:
            raise CommandError(
                _("Search indexes are missing or differ from their texts: %(names)s. Run check_search --rebuild.")
                % {"names": ", ".join(broken)}
            )
        self.stdout.write(_("Search indexes agree with their texts."))
