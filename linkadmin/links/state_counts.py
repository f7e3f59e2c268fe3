"""Links by status, as the lines of a panel."""

from collections.abc import Mapping

from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

from .presentation import shown_states, without_green

_LINE = FlatPart("links/_state_count.html")


def state_counts(by_state: Mapping[str, int], *, url: str, green: bool = True) -> str:
    """`url` is that of the list of these links, to which a state is added; empty for readers who can't open it."""
    looks = [
        (state, look if green else without_green(look)) for state, look in shown_states().items() if by_state.get(state)
    ]
    return _LINE.fill(
        {
            "tone": look.tone,
            "icon": icon(look.icon),
            "label": look.label,
            "count": by_state[state],
            "url": url and f"{url}{state}",
        }
        for state, look in looks
    )
