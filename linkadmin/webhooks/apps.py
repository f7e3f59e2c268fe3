from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "linkadmin.webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        from linkadmin.web.page_parts import add_part
        from linkadmin.web.palette import SOURCES

        from . import presentation
        from .palette import deliveries

        SOURCES.append(deliveries)
        add_part("integration-panels", "webhooks/_integration_panel.html", presentation.of_integration)
