"""Integrations and their keys in the Django admin: keys can be written but are never shown."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.validators import RegexValidator
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import Environment
from linkadmin.audit import log
from linkadmin.audit.actions import Action, ObjectType
from linkadmin.audit.admin import StrictAdmin
from linkadmin.audit.models import Outcome
from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.providers.http.addresses import InvalidBaseUrl
from linkadmin.providers.types import CredentialField, FieldKind, Secret
from linkadmin.wake_worker import wake_worker
from linkadmin.web.secret_input import SecretInput

from .keys import store_secret
from .models import INSTITUTIONS_TASK, Integration
from .texts import translated


class IntegrationForm(forms.ModelForm):  # type: ignore[type-arg]
    """An integration with its provider's own fields. Keys are write-only."""

    class Meta:
        model = Integration
        fields = ("provider", "name", "environment", "base_url", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [self.instance.provider] if self.instance.provider else list(PROVIDERS)
        self.fields["provider"] = forms.ChoiceField(
            label=_("Provider"), choices=[(kind, provider_class(kind).label) for kind in kinds]
        )
        self.fields["environment"] = self._environment()
        # Each provider's fields, with the provider as a prefix.
        self.asked = {
            kind: {f"{kind}_{field.name}": translated(field) for field in provider_class(kind).config_fields}
            for kind in kinds
        }
        for kind, named in self.asked.items():
            for name, field in named.items():
                self.fields[name] = self._field(kind, field)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if kind := cleaned.get("provider"):
            self._require_own(kind, cleaned)
            self._check_address(kind, cleaned.get("base_url"))
            self._check_environment(kind, cleaned)
        return cleaned

    def options(self) -> dict[str, str]:
        own = self.asked[self.cleaned_data["provider"]].items()
        return {field.name: self.cleaned_data[name] for name, field in own if not field.secret}

    def new_secrets(self) -> dict[str, Secret]:
        own = self.asked[self.cleaned_data["provider"]].items()
        typed = {field.name: self.cleaned_data[name] for name, field in own if field.secret}
        return {name: Secret(text) for name, text in typed.items() if text}

    def _require_own(self, kind: str, cleaned: dict[str, Any]) -> None:
        for name, field in self.asked[kind].items():
            stored = field.secret and self.instance.secrets.filter(name=field.name).exists()
            if field.required and not stored and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Required by this provider."))

    def _check_address(self, kind: str, address: str | None) -> None:
        try:
            if address:
                provider_class(kind).check_base_url(address, allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS)
        except InvalidBaseUrl as error:
            self.add_error("base_url", gettext(error.message) % error.values)

    def _check_environment(self, kind: str, cleaned: dict[str, Any]) -> None:
        url, environment = cleaned.get("base_url"), cleaned.get("environment")
        is_sandbox = provider_class(kind).is_sandbox(url) if url and environment else None
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

    def _environment(self) -> forms.Field:
        is_new = not self.instance.provider
        is_fixed = not is_new and self.instance.links.exists()
        return forms.ChoiceField(
            label=_("Environment"),
            choices=[("", "—"), *Environment.choices] if is_new else Environment.choices,
            initial="" if is_new else self.instance.environment,
            disabled=is_fixed,
            help_text=_("Can't be changed: this integration has links.")
            if is_fixed
            else _("Can't be changed once the integration has links."),
        )

    def _field(self, kind: str, asked: CredentialField) -> forms.Field:
        label = f"{provider_class(kind).label}: {asked.label}"
        if not asked.secret:
            initial = self.instance.options.get(asked.name, asked.initial)
            if asked.kind is FieldKind.SELECT:
                choices = [("", "—"), *((choice.value, choice.label) for choice in asked.choices)]
                return forms.ChoiceField(label=label, required=False, choices=choices, initial=initial)
            checks = [RegexValidator(asked.pattern, asked.pattern_message)] if asked.pattern else []
            return forms.CharField(label=label, required=False, max_length=200, initial=initial, validators=checks)
        stored = self.instance.secrets.filter(name=asked.name).first() if self.instance.provider else None
        help_text = (
            _("Stored encrypted (fingerprint %(print)s). Leave blank to keep the current value.")
            % {"print": stored.fingerprint}
            if stored
            else ""
        )
        widget = SecretInput(asked.label)
        return forms.CharField(label=label, required=False, max_length=500, widget=widget, help_text=help_text)


@admin.register(Integration)
class IntegrationAdmin(StrictAdmin):
    actions = None
    form = IntegrationForm
    list_display = ("name", "provider", "environment", "base_url", "is_active", "key_state", "tested_at")
    list_filter = ("environment", "provider", "is_active", "key_state")
    ordering = ("name",)
    search_fields = ("name", "base_url")

    def get_fieldsets(self, request: HttpRequest, obj: Integration | None = None) -> Any:
        if not self.has_change_permission(request, obj):
            keys = ("key_state", "keys_rejected_at", "keys_retry_at", "tested_at", "test_detail")
            return ((None, {"fields": (*IntegrationForm.Meta.fields, "options", *keys)}),)
        return ((None, {"fields": tuple(IntegrationForm(instance=obj).fields)}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # The admin's form factory can't know the provider's fields.
        return IntegrationForm if self.has_change_permission(request, obj) else super().get_form(request, obj, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Integration, form: Any, change: bool) -> None:
        obj.options = form.options()
        replaced = form.new_secrets()
        if replaced or "base_url" in form.changed_data:
            obj.key_state = Integration.KeyState.UNTESTED
            obj.keys_rejected_at = obj.keys_retry_at = None
        super().save_model(request, obj, form, change)
        for name, secret in replaced.items():
            store_secret(obj, name, secret)
        transaction.on_commit(partial(wake_worker, INSTITUTIONS_TASK, obj.pk))
        log.record(
            actor=request.user,  # type: ignore[arg-type]
            action=Action.INTEGRATION_UPDATED if change else Action.INTEGRATION_CREATED,
            object_type=ObjectType.INTEGRATION,
            object_id=obj.pk,
            outcome=Outcome.DONE,
            details={"fields": ", ".join(form.changed_data)[:200]},
        )
