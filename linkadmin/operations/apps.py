from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "linkadmin.operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from linkadmin.links.listing.palette import ON_LINK
        from linkadmin.links.presentation import ACTIONS, UNDER_WAY
        from linkadmin.web import palette
        from linkadmin.web.page_parts import add_part

        from .presentation.buttons import action_on
        from .presentation.explanations import under_way_on
        from .presentation.palette import ENTRIES, acts_on, operations

        palette.ENTRIES.extend(ENTRIES)
        palette.SOURCES.append(operations)
        ON_LINK.append(acts_on)
        UNDER_WAY.append(under_way_on)
        ACTIONS.append(action_on)
        add_part("customer-head", "operations/_new_link.html")
        add_part("link-list-head", "operations/_new_link.html")
        add_part("first-link", "operations/_first_link.html")
