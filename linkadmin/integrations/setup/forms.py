"""The form of an integration. Keys go in and are never rendered."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import Environment
from linkadmin.integrations.models import Integration
from linkadmin.integrations.texts import translated
from linkadmin.providers.http.addresses import InvalidBaseUrl
from linkadmin.providers.names import isolated
from linkadmin.providers.types import CredentialField, FieldKind, Secret
from linkadmin.web.secret_input import SecretInput

_TYPED = {"autocomplete": "off", "spellcheck": "false"}


class IntegrationForm(forms.ModelForm):  # type: ignore[type-arg]
    """An integration of one provider, with the options and keys this provider needs."""

    class Meta:
        model = Integration
        fields = ("name", "environment", "base_url", "is_active")
        help_texts = {"is_active": _("If not, we send it no requests, and its links keep their last status.")}
        widgets = {"name": forms.TextInput(_TYPED), "base_url": forms.TextInput(_TYPED | {"class": "mono"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider, stored = self.instance.provider_class, {each.name: each for each in self.instance.secrets.all()}
        self.fields["environment"] = self._environment_field()
        self.fields["base_url"].help_text = " · ".join(f"https://{host}" for host in sorted(provider.allowed_hosts))
        # With the provider as a prefix, they can't have the name of a column.
        self.asked = {f"{self.instance.provider}_{each.name}": translated(each) for each in provider.config_fields}
        for name, field in self.asked.items():
            fingerprint = stored[field.name].fingerprint if field.name in stored else ""
            self.fields[name] = self._key_field(field, fingerprint) if field.secret else self._option_field(field)
        self.before = {name: self.get_initial_for_field(self.fields[name], name) for name in self._names(secret=False)}
        # Submitted with the form: only what was on the page is replaced.
        versions = [each.version for _name, each in sorted(stored.items())]
        self.mark = hashlib.sha256(repr((self.before, versions)).encode()).hexdigest()

    @property
    def is_stale(self) -> bool:
        return self.has_changed() and self.data.get("mark", self.mark) != self.mark

    def settings_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self._names(secret=False)]

    def key_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self._names(secret=True)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.is_stale:
            self._show_what_is_stored(cleaned)
        try:
            if url := cleaned.get("base_url"):
                self.instance.provider_class.check_base_url(url, allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS)
        except InvalidBaseUrl as error:
            self.add_error("base_url", gettext(error.message) % error.values)
        for name, asked in self.asked.items():
            self._check_option(name, asked, cleaned)
            if asked.needs and cleaned.get(name) and not self._has(f"{self.instance.provider}_{asked.needs}", cleaned):
                self.add_error(f"{self.instance.provider}_{asked.needs}", _("This field is required."))
        self._check_environment(cleaned.get("base_url"), cleaned.get("environment"))
        return cleaned

    def options(self) -> dict[str, str]:
        return {field.name: self.cleaned_data[name] for name, field in self.asked.items() if not field.secret}

    def new_keys(self) -> dict[str, Secret]:
        typed = {field.name: self.cleaned_data[name] for name, field in self.asked.items() if field.secret}
        return {name: Secret(text) for name, text in typed.items() if text}

    def _check_option(self, name: str, asked: CredentialField, cleaned: Mapping[str, Any]) -> None:
        try:
            if not asked.secret:
                allow_loopback = settings.ALLOW_LOOPBACK_PROVIDERS
                check = self.instance.provider_class.check_option
                check(asked.name, cleaned.get(name, ""), allow_loopback=allow_loopback)
        except InvalidBaseUrl as error:
            self.add_error(name, gettext(error.message) % error.values)

    def _has(self, name: str, cleaned: Mapping[str, object]) -> bool:
        is_stored = self.asked[name].secret and self.instance.secrets.filter(name=self.asked[name].name).exists()
        return bool(cleaned.get(name)) or is_stored

    def _names(self, *, secret: bool) -> list[str]:
        return [name for name in self.fields if (name in self.asked and self.asked[name].secret) is secret]

    def _show_what_is_stored(self, cleaned: dict[str, Any]) -> None:
        self.add_error(None, _("This integration has changed since you opened this page. Compare, then save again."))
        for name, value in self.before.items():
            if cleaned.get(name) != value:
                self.add_error(name, _("Now stored: %(value)s") % {"value": isolated(str(value))})

    def _check_environment(self, url: str | None, environment: str | None) -> None:
        is_sandbox = self.instance.provider_class.is_sandbox(url) if url and environment else None
        if is_sandbox is None or is_sandbox == (environment == Environment.SANDBOX):
            return
        wrong = "base_url" if self.fields["environment"].disabled else "environment"
        host = urlsplit(url).hostname
        self.add_error(
            wrong,
            _("%(host)s is a sandbox. Environment and base URL must match.") % {"host": host}
            if is_sandbox
            else _("%(host)s is production. Environment and base URL must match.") % {"host": host},
        )

    def _environment_field(self) -> forms.Field:
        helped = self.instance.companion_of
        is_fixed = bool(helped) or self.instance.links.exists()
        return forms.ChoiceField(
            label=_("Environment"),
            choices=Environment.choices if self.initial["environment"] else [("", _("Select…")), *Environment.choices],
            disabled=is_fixed,
            help_text=_("The same as that of %(name)s.") % {"name": isolated(helped.name)}
            if helped
            else _("Can't be changed: this integration has links.")
            if is_fixed
            else _("Can't be changed once the integration has links."),
        )

    def _option_field(self, asked: CredentialField) -> forms.Field:
        initial = self.instance.options.get(asked.name, asked.initial)
        shared: dict[str, Any] = {
            "label": asked.label,
            "required": asked.required,
            "initial": initial,
            "help_text": asked.help_text,
        }
        if asked.kind is FieldKind.SELECT:
            return forms.ChoiceField(
                choices=[("", _("Select…")), *((each.value, each.label) for each in asked.choices)], **shared
            )
        checks = [RegexValidator(asked.pattern, asked.pattern_message)] if asked.pattern else []
        widget = forms.TextInput(_TYPED | {"class": "mono", "placeholder": asked.placeholder})
        return forms.CharField(max_length=200, validators=checks, widget=widget, **shared)

    def _key_field(self, asked: CredentialField, fingerprint: str) -> forms.Field:
        stored = _("Stored encrypted (fingerprint %(print)s). Leave blank to keep the current value.")
        return forms.CharField(
            label=asked.label,
            required=asked.required and not fingerprint,
            max_length=500,
            widget=SecretInput(asked.label, placeholder="" if fingerprint else asked.placeholder),
            help_text=stored % {"print": fingerprint} if fingerprint else asked.help_text,
        )
