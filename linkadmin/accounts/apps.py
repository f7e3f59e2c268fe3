from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "linkadmin.accounts"
    verbose_name = _("Staff")

    def ready(self) -> None:
        from linkadmin import checks  # noqa: F401
        from linkadmin.accounts import sessions  # noqa: F401
