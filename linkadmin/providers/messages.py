"""Marks text for translation where Django isn't available: pages translate it when they show it."""


def gettext_noop(message: str) -> str:
    """Return the message unchanged; `makemessages` finds it by the name of this function."""
    return message
