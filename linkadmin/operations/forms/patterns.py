"""Patterns from banks for their values: untrusted input that must not cost time or memory."""

import regex
from django.utils.translation import gettext as _

SECONDS = 0.05
MAX_COPIES = 2_000  # of a part: `regex` expands repeated groups, and nested ones multiply
_TOKEN = regex.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{(?<count>\d+)[^{}]*\}|\s+|.", regex.DOTALL)
_EXTENDED = regex.compile(r"\(\?(?:[a-zA-Z0-9]*x|#)")  # comments and spaces can hide a count


def mismatch(pattern: str, message: str, value: str) -> str:
    """The error message; empty if the value fits, or there is no pattern."""
    if not pattern or _matches(pattern, value):
        return ""
    return message or _("The bank expects a different format.")


def _matches(pattern: str, value: str) -> bool:
    """A broken or expensive pattern passes: the bank will check the value."""
    if _EXTENDED.search(pattern) or _copies(pattern) > MAX_COPIES:
        return True
    try:
        return regex.search(pattern, value, timeout=SECONDS) is not None
    except (regex.error, TimeoutError, ValueError, OverflowError, RecursionError):
        return True


def _copies(pattern: str) -> int:
    """How often the most repeated part of a pattern is expanded."""
    most, last = [1], 1  # per open group, and of the last repeatable part
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if text == "(":
            most.append(1)
            last = 1
        elif text == ")" and len(most) > 1:
            last = most.pop()
        elif token["count"]:
            last *= max(1, int(token["count"]))
        elif text not in "?+*" and not text.isspace():
            last = 1
        most[-1] = max(most[-1], last)
    return max(most)
