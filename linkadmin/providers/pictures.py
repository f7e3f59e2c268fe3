"""Pictures in a response: data URIs or bare base64, in any spelling."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

# Recognized by content, not by declared type. No SVG: it can contain scripts.
_KINDS = (
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n.+IEND", re.DOTALL)),
    ("jpeg", re.compile(rb"\xff\xd8\xff.+\xff\xd9", re.DOTALL)),
    ("gif", re.compile(rb"GIF8[79]a.+;", re.DOTALL)),
)
_URI = re.compile(r"\s*data\s*:\s*(?=[a-z;])(?:[a-z]+/[\w.+-]+\s*)?(?:;[^,;]*)*,(.*)", re.DOTALL | re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+")
_HEX = re.compile(r"[0-9a-fA-F]+")
_MARKUP = re.compile(r"\s*<(?:svg|\?xml|!doctype|!--)", re.IGNORECASE)
# Shorter data may be the content of a QR code; the smallest picture has about this length.
_SHORTEST_DATA = 60  # characters
_SHORTEST_LINE = 40  # of wrapped base64; shorter lines are sentences


@dataclass(frozen=True, slots=True)
class Picture:
    content_type: str
    data: bytes = field(repr=False)

    @property
    def uri(self) -> str:
        return f"data:{self.content_type};base64,{base64.b64encode(self.data).decode()}"


def picture(text: str) -> Picture | None:
    """Return the picture, or None if there is none we can show."""
    data = _decoded(text)
    kind = next((kind for kind, looks in _KINDS if data and looks.match(data)), "")
    return Picture(f"image/{kind}", data) if kind else None


def is_unreadable_picture(text: str) -> bool:
    """True for data that isn't a picture we can show: another format, damaged, or any other base64."""
    if picture(text):
        return False
    bare, lines = _bare(text), text.split()
    is_data = len(bare) >= _SHORTEST_DATA and all(len(line) >= _SHORTEST_LINE for line in lines[:-1])
    is_base64 = is_data and _BASE64.fullmatch(bare) and not _HEX.fullmatch(bare)
    return bool(_URI.match(text) or _MARKUP.match(text) or is_base64)


def _decoded(text: str) -> bytes:
    uri = _URI.match(text)
    bare = _bare(unquote(uri[1]) if uri else text)
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text).rstrip("=").replace("-", "+").replace("_", "/")
