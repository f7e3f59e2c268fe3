"""Why something was not done, or not quite, in words."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.denials import why_unasked


class SkipReason(models.TextChoices):
    """Our own reasons, beside those for which a provider could not be asked."""

    ENDED = "ended", _("The link was removed.")
    OFF = "off", _("Its integration is switched off.")
    KEYS = "keys", _("The provider refuses the keys of its integration.")
    SAME_ASSIGNEE = "same_assignee", _("It has this owner already.")
    NOT_LISTED = "not_listed", _("The provider did not list it. A second look decides whether it is gone.")
    BROKEN = "broken", _("Something went wrong here, and not at the provider. An administrator finds it in the log.")


def why_words(why: str) -> str:
    """Return a sentence for what a row keeps; empty for nothing."""
    if not why:
        return ""
    return str(SkipReason(why).label) if why in SkipReason.values else why_unasked(why)
