from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SyncConfig(AppConfig):
    name = "linkadmin.sync"
    verbose_name = _("Sync")

    def ready(self) -> None:
        from linkadmin.web.page_parts import add_part

        from . import ways

        add_part("customer-foot", "sync/_ways.html", ways.of_customer)
        add_part("customer-list-foot", "sync/_elsewhere.html", ways.to_customers)
        add_part("integration-aside", "sync/_ways.html", ways.of_integration)
        add_part("integration-facts", "sync/_full_check_facts.html", ways.full_checks_of)
        add_part("integration-facts", "sync/_institutions_fact.html", ways.institutions_of)
        add_part("link-list-foot", "sync/_elsewhere.html", ways.to_links)
        add_part("link-words-head", "sync/_behind.html", ways.of_link)
