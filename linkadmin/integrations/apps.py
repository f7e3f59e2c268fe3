from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "linkadmin.integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        from linkadmin.web import palette

        from .palette import ENTRIES, integrations

        palette.ENTRIES.extend(ENTRIES)
        palette.SOURCES.append(integrations)
