from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StaffLimitsConfig(AppConfig):
    name = "linkadmin.staff_limits"
    verbose_name = _("Staff limits")

    def ready(self) -> None:
        from linkadmin.web.page_parts import add_part

        from . import checks  # noqa: F401
        from .usage import of_person

        add_part("staff-person", "staff_limits/_person.html", of_person)
