from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LinksConfig(AppConfig):
    name = "linkadmin.links"
    verbose_name = _("Links")

    def ready(self) -> None:
        from linkadmin.web.page_parts import add_part
        from linkadmin.web.palette import SOURCES

        from . import group_counts
        from .listing.palette import customers_and_links, institutions

        SOURCES.extend([customers_and_links, institutions])

        add_part("link-list-head", "links/_export.html")
        add_part("integration-aside", "links/_integration_links.html", group_counts.by_state)
        add_part("integration-connection", "links/_integration_reach.html", group_counts.reached)
        add_part("integration-cells", "links/_integration_cell.html", group_counts.reached)
        add_part("integration-columns", "links/_integration_column.html")
