"""Why a bank asks again after a code: for a further step, or for the same one because the code was wrong.

The comparison outlives the challenge: an operation stores what its bank asked for, texts as keyed fingerprints.
"""

import unicodedata
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from linkadmin.encryption.box import fingerprint
from linkadmin.providers.http.redaction import WITHHELD
from linkadmin.providers.types import Challenge, ChallengeKind, Secret

MAX_ANSWERS = 6  # within one sign-in


class AskedAgain(TextChoices):
    """Why the bank asks again, as far as its words show."""

    FURTHER_STEP = "further_step", _("the bank asked for one more thing")
    NOT_APPROVED = "not_approved", _("not approved yet")
    WRONG_CODE = "wrong_code", _("wrong or expired code")
    CANT_TELL = "cant_tell", _("wrong code, or the bank wants another one")

    @property
    def counts(self) -> bool:
        """Whether the bank may have counted a wrong code."""
        return self in (AskedAgain.WRONG_CODE, AskedAgain.CANT_TELL)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a bank asked for. Texts are fingerprints, empty if the bank sent none; `words` are its instructions.

    `question` is the value if it's a text to answer. Numbers and images are new each time, so not even a fingerprint is
    stored.
    """

    kind: str
    expects_input: bool
    shows_value: bool  # a number, QR code or image
    written_kind: str = ""
    label: str = ""
    pattern: str = ""
    words: str = ""
    question: str = ""

    @classmethod
    def of(cls, challenge: Challenge, *, sign_in: UUID) -> Self:
        """Within one sign-in, equal texts have equal fingerprints."""
        is_question = challenge.kind is ChallengeKind.TEXT and not _is_shown(challenge.value)
        words = challenge.instructions
        if challenge.value and not is_question:
            words = words.replace(challenge.value, "")

        def hidden(text: str) -> str:
            return text if text in ("", WITHHELD) else fingerprint(Secret(f"{sign_in} {_plain(text)}"))

        return cls(
            kind=challenge.kind.value,
            expects_input=challenge.expects_input,
            shows_value=bool(challenge.value) and not is_question,
            written_kind=hidden(challenge.written_kind),
            label=hidden(challenge.label),
            pattern=hidden(challenge.pattern),
            words=hidden(words),
            question=hidden(challenge.value if is_question else ""),
        )


def why_asked_again(before: Asked | None, now: Asked) -> AskedAgain:
    if before is None:
        return AskedAgain.CANT_TELL
    if _is_another_kind(before, now):
        return AskedAgain.FURTHER_STEP
    if not now.expects_input:
        return AskedAgain.NOT_APPROVED
    if WITHHELD in (before.words, now.words, before.question, now.question):
        return AskedAgain.CANT_TELL
    if (before.words, before.question) == (now.words, now.question):
        return AskedAgain.WRONG_CODE
    return AskedAgain.CANT_TELL if now.shows_value else AskedAgain.FURTHER_STEP


def _is_another_kind(before: Asked, now: Asked) -> bool:
    # A value that only one of the two has decides nothing.
    if (before.kind, before.expects_input) != (now.kind, now.expects_input):
        return True
    pairs = ((before.written_kind, now.written_kind), (before.label, now.label), (before.pattern, now.pattern))
    return any(old != new for old, new in pairs if not {old, new} & {"", WITHHELD})


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_shown(value: str) -> bool:
    return "".join(value.split()).isdecimal() or value.startswith("data:image/")
