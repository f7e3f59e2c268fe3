"""Sign-ins of several steps: a bank that asks again doesn't always mean no. Where it does, three is the limit."""

from datetime import timedelta

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.budget import budget_of
from linkadmin.operations.models import Operation, PendingChallenge, State
from linkadmin.providers.types import Cause
from linkadmin.timestamps import exact_words
from tests.environment import Environment
from tests.markup import Page

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

RIGHT, WRONG = "111111", "999999"
DONE = ""  # sent where no input is expected


def begin(env: Environment, password: str) -> Link:
    return begin_at(env, env.belvo_link(), password)


def begin_at(env: Environment, link: Link, password: str) -> Link:
    env.send(f"/links/{link.pk}/credentials/", password=password)
    return link


def give(env: Environment, link: Link, *answers: str) -> Page:
    """Submit answers in turn, and return the last page."""
    for answer in answers:
        values = {"code": answer} if answer else {}
        page = env.send(f"/links/{link.pk}/code/", **values)
    return env.open(page.location)


def sign_in_again(env: Environment, link: Link, password: str = "pass_mfa") -> None:
    env.post(f"/links/{link.pk}/code/withdraw/")
    env.send(f"/links/{link.pk}/credentials/", password=password)


def assert_nothing_was_refused(env: Environment, link: Link) -> None:
    assert budget_of(link).rejected == 0
    assert not Operation.objects.filter(counts_as_attempt=True).exists()
    history = env.open(f"/links/{link.pk}/history/?kind=operation").words.casefold()
    assert not any(word in history for word in ("wrong", "refused", "rejected"))
    answers = [event.details.get("asked_again", "") for event in AuditEvent.objects.all()]
    assert not {"wrong_code", "cant_tell"} & set(answers)
    assert not AuditEvent.objects.filter(outcome="rejected").exists()


@pytest.mark.parametrize(
    ("password", "answers"),
    [
        ("mfa_three", (RIGHT, RIGHT, RIGHT)),
        ("mfa_five", (RIGHT, RIGHT, RIGHT, DONE, RIGHT)),
        ("mfa_questions", (RIGHT, RIGHT)),
        ("mfa_unapproved", (DONE, DONE)),
    ],
)
def test_correct_steps_pass_without_counting_attempts(
    env: Environment, password: str, answers: tuple[str, ...]
) -> None:
    link = begin(env, password)

    give(env, link, *answers)

    link.refresh_from_db()
    assert link.is_verifying
    assert env.last_operation(link).state == State.SUCCEEDED
    assert len(env.calls("PATCH")) == len(answers)
    assert_nothing_was_refused(env, link)


@pytest.mark.parametrize("answered", [1, 2, 3, 4])
def test_each_further_step_is_shown_as_one(env: Environment, answered: int) -> None:
    link = begin(env, "mfa_five")

    page = give(env, link, *(RIGHT, RIGHT, RIGHT, DONE)[:answered])

    assert "The bank is asking for one more thing" in page.words
    assert "Wrong or expired code" not in page.words


def test_pending_approval_is_explained(env: Environment) -> None:
    page = give(env, begin(env, "mfa_unapproved"), DONE)

    assert "Not approved yet" in page.words


@pytest.mark.parametrize("password", ["numeric_code", "qr_code", "mfa_default", "mfa_text"])
def test_three_wrong_codes_lock_whatever_is_new_in_each_challenge(env: Environment, password: str) -> None:
    link = begin(env, password)

    words = [give(env, link, WRONG).words for _each in range(3)]

    assert "2 attempts left today" in words[0]
    assert "1 attempt left today" in words[1]
    assert words[2].count("No attempts left today") == 1
    assert (budget_of(link).rejected, budget_of(link).left) == (3, 0)
    assert len(env.calls("PATCH")) == 3


def test_step_is_closed_with_the_last_wrong_code(env: Environment) -> None:
    link = begin(env, "numeric_code")

    give(env, link, WRONG, WRONG, WRONG)

    link.refresh_from_db()
    assert not PendingChallenge.objects.exists()
    assert not Operation.objects.open().exists()
    assert env.last_operation(link).state == State.REJECTED
    assert link.cause == Cause.CODE_NEEDED.value
    assert env.client().get(f"/links/{link.pk}/code/").headers["Location"] == link.get_absolute_url()


def test_after_the_last_wrong_code_the_page_offers_alternatives(env: Environment) -> None:
    link = begin(env, "numeric_code")

    page = give(env, link, WRONG, WRONG, WRONG)

    assert "Attempts reset on" in page.words
    assert "Nobody can allow another attempt before then." in page.words
    assert f"/links/{link.pk}/repair-request/" in page.links()
    assert f"/links/{link.pk}/credentials/" not in page.links()
    assert page.source.count("button--primary") == 1
    second = env.last_operation(link).parent
    assert second is not None
    assert second.finished_at is not None
    free_at = budget_of(link).free_at
    assert free_at == second.finished_at + timedelta(hours=24)
    assert f"Attempts reset on {exact_words(free_at)}" in page.words


def test_wrong_code_between_right_ones_counts_once(env: Environment) -> None:
    link = begin(env, "mfa_three")

    page = give(env, link, RIGHT, WRONG)

    assert "Wrong or expired code" in page.words
    assert "2 attempts left today" in page.words
    give(env, link, RIGHT, RIGHT)
    link.refresh_from_db()
    assert link.is_verifying
    assert env.open(f"/links/{link.pk}/history/").words.count("wrong or expired code") == 1


def test_same_kind_in_other_words_is_explained_and_counted(env: Environment) -> None:
    link = begin(env, "mfa_reworded")

    page = give(env, link, RIGHT)

    assert "The bank is asking again: the code was wrong, or it wants another one" in page.words
    assert "2 attempts left today" in page.words
    assert budget_of(link).rejected == 1
    assert Operation.objects.get(asked_again="cant_tell").counts_as_attempt
    assert not Operation.objects.filter(asked_again="wrong_code").exists()


def test_attempts_left_are_shown_before_each_code(env: Environment) -> None:
    link = begin(env, "mfa_default")

    assert "3 attempts left today" in env.open(f"/links/{link.pk}/code/").words


def test_more_than_six_answers_end_a_sign_in(env: Environment) -> None:
    link = begin(env, "mfa_endless")

    page = give(env, link, *[RIGHT] * 6)

    assert "The bank keeps asking for more" in page.words
    assert not PendingChallenge.objects.exists()
    assert env.last_operation(link).state == State.REJECTED
    assert budget_of(link).rejected == 0


def test_challenge_that_cannot_be_decrypted_is_compared_as_well(env: Environment) -> None:
    link = begin(env, "mfa_questions")
    PendingChallenge.objects.update(encrypted_shown=b"encrypted with another key")

    page = give(env, link, RIGHT)

    assert "The bank is asking for one more thing" in page.words


def test_wrong_codes_of_several_sign_ins_add_up(env: Environment) -> None:
    link = begin(env, "pass_mfa")
    give(env, link, WRONG)
    sign_in_again(env, link)

    page = give(env, link, WRONG)

    assert "1 attempt left today" in page.words


def test_step_whose_attempts_were_used_up_elsewhere_is_closed(env: Environment) -> None:
    link = begin(env, "pass_mfa")
    other = env.belvo_link()
    Link.objects.filter(pk=other.pk).update(end_user=link.end_user)
    give(env, begin_at(env, other, "pass_mfa"), WRONG, WRONG, WRONG)
    page = env.open(f"/links/{link.pk}/code/")
    assert page.words.count("No attempts left today") == 1
    assert "code" not in page.inputs()

    tasks.close_overdue()

    link.refresh_from_db()
    assert not PendingChallenge.objects.exists()
    assert link.cause == Cause.CODE_NEEDED.value
    assert "No attempts left today" in env.open(env.last_operation(link).get_absolute_url()).words
