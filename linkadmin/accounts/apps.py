from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "linkadmin.accounts"
    verbose_name = _("Staff")

    def ready(self) -> None:
        from linkadmin import checks  # noqa: F401
        from linkadmin.accounts import sessions  # noqa: F401
        from linkadmin.web import palette

        from .palette import ENTRIES, page_of_url

        palette.ENTRIES.extend(ENTRIES)
        palette.SOURCES.append(page_of_url)
