from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RepairConfig(AppConfig):
    name = "linkadmin.repair"
    verbose_name = _("Repair requests")

    def ready(self) -> None:
        from linkadmin.web.page_parts import add_part

        add_part("link-aside", "repair/_open.html")
