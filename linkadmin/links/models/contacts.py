"""How to reach customers. A table of its own, so that erasing a customer's contact details deletes a row."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from linkadmin.fields import FoldedField

from .links import EndUser


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    SPANISH = "es", _("Spanish")
    PORTUGUESE = "pt-br", _("Portuguese")


class CustomerContact(models.Model):
    end_user = models.OneToOneField(EndUser, on_delete=models.CASCADE, primary_key=True, related_name="contact")
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=16, blank=True)  # as in E.164: + and digits
    language = models.CharField(_("language"), max_length=8, blank=True, choices=Language.choices)
    search = FoldedField(of=("email", "phone"))

    class Meta:
        verbose_name = _("contact details")
        verbose_name_plural = _("contact details")

    def __str__(self) -> str:
        return str(self.end_user_id)
