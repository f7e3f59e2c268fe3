"""The text of a repair request, in its customer's language."""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from linkadmin.links.models import Link
from linkadmin.operations.presentation.repair_requests import way_of
from linkadmin.providers.names import isolated
from linkadmin.timestamps import exact_words


def default_text(link: Link, language: str) -> str:
    """Names the company and the bank, and nobody else. The URL and its end are added when it's sent."""
    values = {"company": isolated(settings.COMPANY_NAME), "bank": isolated(link.bank or link.integration.name)}
    with translation.override(language):
        if way_of(link).is_consent:
            text = _(
                "%(company)s needs your consent to keep getting data from %(bank)s.\n\n"
                "Please renew it with this link. It takes about a minute. Have your CPF or CNPJ ready."
            )
        else:
            text = _(
                "%(company)s no longer gets data from %(bank)s.\n\n"
                "Please sign in at your bank once, with this link. It takes about a minute. Have your phone ready: "
                "your bank may send you a code."
            )
        return text % values


def with_url(text: str, url: str, language: str, *, until: datetime) -> str:
    with translation.override(language):
        end = _("The link works until %(time)s.") % {"time": exact_words(until)}
    return f"{text}\n\n{url}\n\n{end}"
