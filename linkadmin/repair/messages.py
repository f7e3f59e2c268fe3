"""The text of a repair request, in its customer's language."""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.links.models import Link
from linkadmin.operations.presentation.repair_requests import way_of
from linkadmin.providers.names import clean_name, isolated
from linkadmin.timestamps import exact_words

# By LINKADMIN_MESSAGE_TONE, and whether customers renew a consent.
_TEXTS = {
    ("neutral", False): gettext_lazy(
        "%(company)s no longer gets data from %(bank)s.\n\n"
        "Please sign in at your bank once, with this link. It takes about a minute. Have your phone ready: "
        "your bank may send you a code."
    ),
    ("neutral", True): gettext_lazy(
        "%(company)s needs your consent to keep getting data from %(bank)s.\n\n"
        "Please renew it with this link. It takes about a minute. Have your CPF or CNPJ ready."
    ),
    ("friendly", False): gettext_lazy(
        "Hello,\n\n%(company)s has lost the connection to your account at %(bank)s.\n\n"
        "Could you sign in at your bank once, with this link? It takes about a minute. Keep your phone at hand: "
        "your bank may send you a code.\n\nThank you"
    ),
    ("friendly", True): gettext_lazy(
        "Hello,\n\n%(company)s needs your consent to keep getting your data from %(bank)s.\n\n"
        "Could you renew it with this link? It takes about a minute. Keep your CPF or CNPJ at hand.\n\nThank you"
    ),
}


def default_text(link: Link, language: str) -> str:
    """Names the company and the bank, and nobody else. The URL and its end are added when it's sent."""
    values = {"company": isolated(settings.COMPANY_NAME), "bank": isolated(_bank(link))}
    with translation.override(language):
        return str(_TEXTS[settings.MESSAGE_TONE, way_of(link).is_consent]) % values


def subject_of(link: Link, language: str) -> str:
    values = {"company": settings.COMPANY_NAME, "bank": clean_name(_bank(link))}
    with translation.override(language):
        if way_of(link).is_consent:
            return _("%(company)s: renew your consent for %(bank)s") % values
        return _("%(company)s: reconnect %(bank)s") % values


def with_url(text: str, url: str, language: str, *, until: datetime) -> str:
    return f"{text}\n\n{url}\n\n{end_of(until, language)}"


def end_of(until: datetime, language: str) -> str:
    with translation.override(language):
        return _("The link works until %(time)s.") % {"time": exact_words(until)}


def _bank(link: Link) -> str:
    return link.bank or link.integration.name
