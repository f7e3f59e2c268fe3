"""Why a bank asks again: one row for each line in the table of challenges."""

import json
import uuid
from dataclasses import asdict, replace

import pytest

from linkadmin.operations.challenges import Asked, AskedAgain, why_asked_again
from linkadmin.providers.http.redaction import WITHHELD
from linkadmin.providers.types import Challenge, ChallengeKind, Secret

FURTHER, NOT_YET, WRONG, CANT_TELL = AskedAgain

SIGN_IN = uuid.uuid4()
CODE = Challenge(Secret("session"), "link", 300, ChallengeKind.CODE)
TOLD_CODE = replace(CODE, instructions="Escribe el código que recibiste")
NUMERIC = replace(CODE, kind=ChallengeKind.NUMERIC, written_kind="numeric", instructions="Type it", value="482193")
QR = replace(CODE, kind=ChallengeKind.QR, written_kind="qr", instructions="Scan it", value="iVBORw0KGgo=")
QUESTION = replace(CODE, kind=ChallengeKind.TEXT, written_kind="text", instructions="Answer", value="Your first pet?")
APPROVAL = replace(CODE, kind=ChallengeKind.APPROVE, instructions="Approve in the app", expects_input=False)

TABLE = [
    # something else
    ("another kind", NUMERIC, QUESTION, FURTHER),
    ("a code after a device", QUESTION, CODE, FURTHER),
    ("a number after a code", CODE, NUMERIC, FURTHER),
    ("an approval after a code", CODE, APPROVAL, FURTHER),
    ("a code after an approval", APPROVAL, CODE, FURTHER),
    ("another word for the kind", replace(CODE, written_kind="sms"), replace(CODE, written_kind="card"), FURTHER),
    ("another label", replace(CODE, label="SMS"), replace(CODE, label="Token"), FURTHER),
    ("another validation", replace(CODE, pattern=r"^\d{4}$"), replace(CODE, pattern=r"^\d{6}$"), FURTHER),
    ("nothing to type any more", QR, replace(QR, expects_input=False), FURTHER),
    ("another label beside a new number", replace(NUMERIC, label="a"), replace(NUMERIC, label="b", value="1"), FURTHER),
    # a question or text in different words
    ("another question", QUESTION, replace(QUESTION, value="The last three digits of your card?"), FURTHER),
    ("the same question, other instructions", QUESTION, replace(QUESTION, instructions="One more"), FURTHER),
    ("another question in the instructions", TOLD_CODE, replace(CODE, instructions="Which branch?"), FURTHER),
    # an approval
    ("an approval again", APPROVAL, APPROVAL, NOT_YET),
    ("an approval again, by another number", replace(APPROVAL, value="42"), replace(APPROVAL, value="57"), NOT_YET),
    ("a picture to approve again", replace(QR, expects_input=False), replace(QR, expects_input=False), NOT_YET),
    # the same again
    ("a plain code again", CODE, CODE, WRONG),
    ("a code in the same words", TOLD_CODE, TOLD_CODE, WRONG),
    ("a new number", NUMERIC, replace(NUMERIC, value="775120"), WRONG),
    ("the same number", NUMERIC, NUMERIC, WRONG),
    ("a new picture", QR, replace(QR, value="iVBORw0KGgoAAAA="), WRONG),
    ("the same question", QUESTION, QUESTION, WRONG),
    ("the same question, spaced otherwise", QUESTION, replace(QUESTION, value="Your  FIRST pet? "), WRONG),
    (
        "a new number that the words repeat",
        replace(NUMERIC, instructions="Type 482193 into the app"),
        replace(NUMERIC, instructions="Type 775120 into the app", value="775120"),
        WRONG,
    ),
    ("a label that was given once only", replace(CODE, label="SMS"), CODE, WRONG),
    (
        "a number of no known kind",
        replace(QUESTION, value="482 193"),
        replace(QUESTION, value="775 120"),
        WRONG,
    ),
    # unknown
    ("a new number in other words", NUMERIC, replace(NUMERIC, instructions="Type the new one", value="1"), CANT_TELL),
    ("a new picture in other words", QR, replace(QR, instructions="Scan again", value="R0lGOD=="), CANT_TELL),
    ("words that hold the code we sent", TOLD_CODE, replace(CODE, instructions=WITHHELD), CANT_TELL),
    ("a question that holds the code we sent", QUESTION, replace(QUESTION, value=WITHHELD), CANT_TELL),
    ("nothing known of what was asked before", None, CODE, CANT_TELL),
]


@pytest.mark.parametrize(("before", "now", "why"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(before: Challenge | None, now: Challenge, why: AskedAgain) -> None:
    asked = Asked.of(before, sign_in=SIGN_IN) if before else None

    assert why_asked_again(asked, Asked.of(now, sign_in=SIGN_IN)) is why


@pytest.mark.parametrize(("why", "counts"), [(FURTHER, False), (NOT_YET, False), (WRONG, True), (CANT_TELL, True)])
def test_only_what_may_have_been_a_wrong_code_counts_for_the_bank(why: AskedAgain, counts: bool) -> None:
    assert why.counts is counts


@pytest.mark.parametrize(
    "challenge", [NUMERIC, QR, QUESTION, TOLD_CODE, replace(CODE, label="SMS", pattern=r"^\d{4}$")]
)
def test_stored_fingerprints_contain_nothing_the_bank_showed(challenge: Challenge) -> None:
    stored = json.dumps(asdict(Asked.of(challenge, sign_in=SIGN_IN)))

    texts = (challenge.instructions, challenge.value, challenge.label, challenge.pattern)
    assert not any(text in stored for text in texts if text)


def test_same_question_leaves_another_fingerprint_in_another_sign_in() -> None:
    here, elsewhere = (Asked.of(QUESTION, sign_in=each).question for each in (SIGN_IN, uuid.uuid4()))

    assert here != elsewhere
