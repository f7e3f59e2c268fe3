"""Sessions at a provider's own page, made while the customer waits. Making one changes nothing about the link."""

from django.db import transaction

from linkadmin.integrations.connections import client_for
from linkadmin.links.models import RepairRequest
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.types import ReturnUrls, Secret

from .requests import add_step

# What Belvo calls the languages that customers may have.
_LOCALES = {"en": "en", "es": "es", "pt-br": "pt"}


class NoPage(Exception):
    """The provider made no session. `words` are its own, or why we couldn't ask."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def open_page(request: RepairRequest, return_urls: ReturnUrls) -> Secret:
    """Return the URL of the provider's page, valid for minutes. Raises `NoPage`."""
    link = request.link
    try:
        locale = {"locale": _LOCALES[request.language]}
        made = client_for(link.integration).create_repair_url(link.ref, locale, return_urls)
    except ProviderError as error:
        raise NoPage(str(error)) from None
    with transaction.atomic():
        add_step(request, RepairRequest.Step.AT_PROVIDER)
    return made.url
