from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "linkadmin.operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from linkadmin.links.presentation import ACTIONS, UNDER_WAY
        from linkadmin.web.page_parts import add_part

        from .presentation.buttons import action_on
        from .presentation.explanations import under_way_on

        UNDER_WAY.append(under_way_on)
        ACTIONS.append(action_on)
        add_part("customer-head", "operations/_new_link.html")
        add_part("link-list-head", "operations/_new_link.html")
        add_part("no-links", "operations/_no_links.html")
