"""Sessions at a provider's own page, made while the customer waits. Making one changes nothing about the link."""

from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.integrations.connections import client_for
from linkadmin.links.causes import RepairKind
from linkadmin.links.models import Link, RepairRequest
from linkadmin.operations.presentation.repair_requests import way_of
from linkadmin.providers import hosted_pages
from linkadmin.providers.errors import NewConnectionNeeded, ProviderError
from linkadmin.providers.http.addresses import LOOPBACK_HOSTS
from linkadmin.providers.types import ReturnUrls, Secret

from . import sessions
from .requests import Step, add_step

ORIGINS = settings.HOSTED_PAGES or hosted_pages()
# What Belvo calls the languages that customers may have.
_LOCALES = {"en": "en", "es": "es", "pt-br": "pt"}


class NoPage(Exception):
    """The provider made no session. `words` are its own, or why we couldn't ask."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def open_page(request: RepairRequest, return_urls: ReturnUrls) -> Secret:
    """Return the URL of the provider's page. Raises `NoPage`."""
    try:
        url = _url_of(request, return_urls)
    except NewConnectionNeeded as error:
        with transaction.atomic():
            add_step(request, Step.NEW_NEEDED)
        raise NoPage(str(error)) from None
    except ProviderError as error:
        raise NoPage(str(error)) from None
    with transaction.atomic():
        add_step(request, Step.AT_PROVIDER)
        sessions.note_opened(request)
    return url


def _url_of(request: RepairRequest, return_urls: ReturnUrls) -> Secret:
    link = request.link
    way = way_of(link)
    if way.companion is None:
        locale = {"locale": _LOCALES[request.language]}
        return client_for(link.integration).create_repair_url(link.ref, locale, return_urls).url
    if way.needs_token:  # created when the request was sent
        url = sessions.stored_url(request)
    else:
        life = min(sessions.VISIT, request.expires_at - timezone.now())
        made = sessions.create(link, way.companion, sessions.NewVisit(request.language, life, return_urls.either))
        url = made.url
        sessions.store(request, way.companion, made)
    if url is None or not _is_page(urlsplit(url.reveal())):
        raise NoPage("not a page that customers may be led to")
    return url


def _is_page(url: SplitResult) -> bool:
    is_ours = settings.ALLOW_LOOPBACK_PROVIDERS and url.hostname in LOOPBACK_HOSTS
    return is_ours or f"{url.scheme}://{url.netloc}" in ORIGINS


def consent_portal(link: Link) -> str:
    """Where its customer sees and withdraws consents; empty if there are none."""
    base_url, provider = link.integration.base_url, link.integration.provider_class
    if link.repair_kind is not RepairKind.CONSENT or not provider.consent_portal:
        return ""
    return provider.page_url(
        provider.consent_portal, base_url=base_url, allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS
    )
