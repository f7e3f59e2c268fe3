"""Pictures inside a provider's answer: as a data URI, or as bare base64 in any of the ways in which it is written."""

import base64
import binascii
import re
from urllib.parse import unquote

# By their first bytes, whatever an answer calls them. SVG is none of them: it can hold a script.
_KINDS = (
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n.+IEND", re.DOTALL)),
    ("jpeg", re.compile(rb"\xff\xd8\xff.+\xff\xd9", re.DOTALL)),
    ("gif", re.compile(rb"GIF8[79]a.+;", re.DOTALL)),
)
_URI = re.compile(r"\s*data\s*:\s*(?=[a-z;])(?:[a-z]+/[\w.+-]+\s*)?(?:;[^,;]*)*,(.*)", re.DOTALL | re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+")
_HEX = re.compile(r"[0-9a-fA-F]+")
_MARKUP = re.compile(r"\s*<(?:svg|\?xml|!doctype|!--)", re.IGNORECASE)
# Shorter ones may be what a QR code should say; the smallest picture is about as long.
_SHORTEST_DATA = 60  # characters
_SHORTEST_LINE = 40  # of wrapped base64, which tells it from a sentence


def picture(text: str) -> str:
    """Return the picture that a text is as a data URI; empty if it is none that can be shown."""
    data = _decoded(text)
    kind = next((kind for kind, looks in _KINDS if data and looks.match(data)), "")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}" if kind else ""


def is_unreadable_picture(text: str) -> bool:
    """Tell whether a text is no words but data: a picture of another kind, a broken one, or anything in base64."""
    if picture(text):
        return False
    bare, lines = _bare(text), text.split()
    is_data = len(bare) >= _SHORTEST_DATA and all(len(line) >= _SHORTEST_LINE for line in lines[:-1])
    is_base64 = is_data and _BASE64.fullmatch(bare) and not _HEX.fullmatch(bare)
    return bool(_URI.match(text) or _MARKUP.match(text) or is_base64)


def _decoded(text: str) -> bytes:
    """Return what a text says in base64; nothing if it is none."""
    uri = _URI.match(text)
    bare = _bare(unquote(uri[1]) if uri else text)
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bare(text: str) -> str:
    """Return base64 in its usual alphabet, without line ends and padding."""
    return re.sub(r"\s+", "", text).rstrip("=").replace("-", "+").replace("_", "/")
