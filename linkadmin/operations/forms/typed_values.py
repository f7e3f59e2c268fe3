"""Cleaning of typed values before they are sent, by type."""

import base64
import binascii
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial

import regex
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cleaning

INVISIBLE = regex.compile(r"[\p{Cf}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u3164\ufe00-\ufe0f\uffa0]+")
# Separators in codes: spaces, dashes, middle dots.
GROUPING = regex.compile(r"[\s\p{Z}\p{Pd}\u2212\u00b7\u0387\u2022\u2027\u2219\u22c5\u2e31\u30fb\uff65]+")
ARMOR = regex.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", regex.DOTALL)
ARMOR_EDGE = regex.compile(r"-----(?:BEGIN|END) ")
DATA_URI = regex.compile(r"data:[^,]{0,200};base64,", regex.IGNORECASE)


def trimmed(text: str) -> str:
    return INVISIBLE.sub("", text).strip()


def code(text: str) -> str:
    """Numbers become plain digits: "482 193" and "٤٨٢-١٩٣" both 482193. Other codes are only trimmed."""
    visible = trimmed(text)
    digits = GROUPING.sub("", visible)
    return "".join(str(unicodedata.decimal(digit)) for digit in digits) if digits.isdecimal() else visible


def file_text(text: str, *, holds: str) -> str:
    """A pasted certificate or key as base64 on one line; empty for an empty value.

    Raises ValidationError if it is neither base64 nor one whole PEM block of the expected kind.
    """
    pasted = INVISIBLE.sub("", text)
    blocks = ARMOR.findall(pasted)
    if len(blocks) > 1:
        raise ValidationError(_("This is more than one block. Paste just one, from BEGIN to END."))
    if not blocks and ARMOR_EDGE.search(pasted):
        raise ValidationError(_("Part of it is missing. Paste the whole block, from BEGIN to END."))
    if not blocks:
        return _base64(DATA_URI.sub("", pasted.strip(), count=1))
    label, inside = blocks[0]
    if holds not in label:
        raise ValidationError(
            _("This looks like a value for another field (%(label)s). Enter it there.") % {"label": label}
        )
    if ":" in inside:  # headers with the cipher, which base64 alone would lose
        raise ValidationError(_("We can't send this type of encrypted key. Export it as PKCS #8 or DER."))
    return _base64(inside)


def _base64(text: str) -> str:
    bare = "".join(text.split()).replace("-", "+").replace("_", "/")
    unpadded = bare.rstrip("=")
    padded = unpadded + "=" * (-len(unpadded) % 4)
    try:
        base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise ValidationError(_("This isn't base64. Paste the file as base64 or PEM text.")) from None
    return padded


CLEANERS: Mapping[Cleaning, Callable[[str], str]] = {
    Cleaning.AS_TYPED: str,
    Cleaning.TRIMMED: trimmed,
    Cleaning.CODE: code,
    Cleaning.CERTIFICATE: partial(file_text, holds="CERTIFICATE"),
    Cleaning.PRIVATE_KEY: partial(file_text, holds="PRIVATE KEY"),
}
