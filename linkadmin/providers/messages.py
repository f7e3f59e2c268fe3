"""Marks text for translation where Django isn't available: pages translate it when they show it."""


def gettext_noop(message: str) -> str:
    """Mark a message for `makemessages`, which finds it by this function's name."""
    return message
