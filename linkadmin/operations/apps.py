from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "linkadmin.operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from linkadmin.links.presentation import ask_for_under_way

        from .under_way import under_way_on

        ask_for_under_way(under_way_on)
