from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    name = "linkadmin.inbox"
    verbose_name = _("Inbox")

    def ready(self) -> None:
        from linkadmin.page_parts import add_part

        add_part("integration-head", "inbox/_way.html")
