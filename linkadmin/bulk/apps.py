from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BulkConfig(AppConfig):
    name = "linkadmin.bulk"
    verbose_name = _("Bulk actions")

    def ready(self) -> None:
        from linkadmin.web.page_parts import add_part

        add_part("link-list-selection", "bulk/_selection.html")
