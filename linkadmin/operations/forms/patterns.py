"""Patterns that banks give for the values they want: foreign input, which may cost neither time nor memory."""

import regex
from django.utils.translation import gettext as _

SECONDS = 0.05
MOST_COPIES = 2_000  # of a part: `regex` writes out what a group repeats, and groups in groups multiply
_TOKEN = regex.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{(?<count>\d+)[^{}]*\}|\s+|.", regex.DOTALL)
_EXTENDED = regex.compile(r"\(\?(?:[a-zA-Z0-9]*x|#)")  # comments and spaces, behind which a count can hide


def mismatch(pattern: str, message: str, value: str) -> str:
    """Say what is wrong with a value that a bank's pattern does not fit; nothing if it fits or there is none."""
    if not pattern or _matches(pattern, value):
        return ""
    return message or _("The bank expects a different format.")


def _matches(pattern: str, value: str) -> bool:
    """Try a bank's pattern. One that is broken or costs too much decides nothing: the bank itself will."""
    if _EXTENDED.search(pattern) or _copies(pattern) > MOST_COPIES:
        return True
    try:
        return regex.search(pattern, value, timeout=SECONDS) is not None
    except (regex.error, TimeoutError, ValueError, OverflowError, RecursionError):
        return True


def _copies(pattern: str) -> int:
    """Return how often the part of a pattern is written out that is written out most."""
    most, last = [1], 1  # in each group that is open, and of what a count would repeat
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
