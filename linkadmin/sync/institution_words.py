"""Texts about an institution: the fields of a new link, and how to repair a broken one."""

import json
from typing import Any

from django.utils.translation import gettext as _

from linkadmin.integrations.texts import translated
from linkadmin.links.models import Institution
from linkadmin.operations.changes.sign_ins import login_fields
from linkadmin.providers.types import MAY_ASK_FOR_CODE, Capability, CredentialField, FieldKind


def fields_in_words(institution: Institution) -> list[dict[str, Any]]:
    if not institution.integration.can(Capability.CREATE):
        return []
    asked = institution.integration.provider_class.create_fields(institution)
    return [_in_words(translated(field)) for field in asked if not field.advanced]


def raw_fields(institution: Institution) -> str:
    return json.dumps(institution.form_fields, indent=2, ensure_ascii=False) if institution.form_fields else ""


def repair_in_words(institution: Institution) -> list[str]:
    integration, ways = institution.integration, []
    typed = login_fields(integration, institution)
    if typed and integration.can(Capability.UPDATE_CREDENTIALS):
        labels = ", ".join(_(field.label) for field in typed if not field.advanced)
        ways.append(_("On the link's page, support updates these credentials: %(labels)s.") % {"labels": labels})
    if MAY_ASK_FOR_CODE in institution.features:
        ways.append(_("The bank may ask for a one-time code; support enters it on the link's page."))
    if integration.can(Capability.REPAIR_URL) and institution.is_by_consent:
        ways.append(
            _("The customer renews the consent in the consent portal. Send a repair request on the link's page.")
        )
    elif integration.can(Capability.REPAIR_URL):
        ways.append(_("Or let the customer repair it themselves: send a repair request on the link's page."))
    if integration.can(Capability.REPLACE_TOKEN):
        ways.append(_("The customer signs in again in our app, and the link continues with the same access token."))
        ways.append(_("If the token was exchanged for a new one, support replaces it on the link's page."))
    return ways or [_("Only the customer can repair it, with the bank. A password entered here won't help.")]


def _in_words(field: CredentialField) -> dict[str, Any]:
    return {
        "label": field.label,
        "name": field.name,  # at the provider
        "kind": _kind(field),
        "needed": _("yes") if field.required else _("no"),
        "pattern": field.pattern,
        "hint": " · ".join(filter(None, [field.pattern_message, field.help_text, field.placeholder])),
        "choices": [choice.label for choice in field.choices],
    }


def _kind(field: CredentialField) -> str:
    named = {
        FieldKind.SELECT: _("One from a list"),
        FieldKind.MANY: _("Several from a list"),
        FieldKind.FILE_TEXT: _("Certificate or key"),
    }
    return named.get(field.kind) or (_("Secret text") if field.secret else _("Text"))
