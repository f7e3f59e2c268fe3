"""Our own reasons not to plan or begin a job."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from linkadmin.operations.refusals import Refusal


class NothingSelected(
    Refusal, reason="nothing_selected", words=_("No link was selected. Tick rows, or choose all that match.")
):
    """No row was ticked, or none matches any more."""


class TooManyLinks(Refusal, reason="too_many_links"):
    """More links match than one job takes."""

    def __init__(self, most: int) -> None:
        words = ngettext(
            "One job takes at most %(most)s link, and more match. Narrow the filter.",
            "One job takes at most %(most)s links, and more match. Narrow the filter.",
            most,
        )
        super().__init__(words % {"most": f"{most:,}"})


class PlanOver(Refusal, reason="plan_over", words=_("This plan is no longer true. Select the links again.")):
    """The plan is too old, or its assignee has left."""
