"""Our own reasons not to plan or begin a job."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from linkadmin.operations.refusals import Refusal


class NothingSelected(Refusal):
    """No row was ticked, or none matches any more."""

    reason = "nothing_selected"
    words = gettext_lazy("No link was selected. Tick rows, or choose all that match.")


class TooManyLinks(Refusal):
    """More links match than one job takes."""

    reason = "too_many_links"

    def __init__(self, most: int) -> None:
        super().__init__()
        self.words = ngettext(
            "One job takes at most %(most)s link, and more match. Narrow the filter.",
            "One job takes at most %(most)s links, and more match. Narrow the filter.",
            most,
        ) % {"most": f"{most:,}"}


class PlanOver(Refusal):
    """The plan is too old, or its assignee has left."""

    reason = "plan_over"

    def __init__(self) -> None:
        super().__init__()
        self.words = _("This plan is no longer true. Select the links again.")
