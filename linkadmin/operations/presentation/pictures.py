"""The picture of a challenge: the bank's, or a QR code that we draw from its text."""

from io import BytesIO

import segno

from linkadmin.providers.pictures import Picture, picture
from linkadmin.providers.types import ChallengeKind


def picture_of(kind: ChallengeKind, value: str) -> Picture | None:
    return picture(value) or (_qr_code(value) if kind is ChallengeKind.QR else None)


def _qr_code(value: str) -> Picture | None:
    try:
        code = segno.make_qr(value)
    except segno.DataOverflowError:
        return None
    drawn = BytesIO()
    code.save(drawn, kind="svg", scale=6, border=2)
    return Picture("image/svg+xml", drawn.getvalue())
