"""The one-time code: each kind of challenge, right and wrong codes, and expiry."""

import base64
import re
from typing import Any

import pytest
import requests

from .conftest import Belvo, MovableClock


def received(answer: requests.Response) -> dict[str, Any]:
    """The challenge in either shape of the body."""
    assert answer.status_code == 428, answer.text
    body = answer.json()
    return dict(body[0] if isinstance(body, list) else body)


def generation(belvo: Belvo, word: str) -> dict[str, Any]:
    return dict(received(belvo.register("maria", word)).get("token_generation_data", {}))


def test_registering_leaves_an_unconfirmed_link_and_the_right_code_creates_it(belvo: Belvo) -> None:
    challenge = received(belvo.register("mfa_default", "pass_valid", institution="heimdall_mx_retail"))
    before = belvo.link(challenge["link"])

    answer = belvo.resume(challenge, "111111")

    assert (before["status"], before["last_accessed_at"]) == ("unconfirmed", None)
    assert (answer.status_code, answer.json()["status"]) == (201, "valid")


def test_updating_leaves_a_link_that_waits_for_a_code_and_the_right_code_repairs_it(belvo: Belvo) -> None:
    link = belvo.new_link(institution="heimdall_mx_retail")
    challenge = received(belvo.update(link, "pass_valid"))
    before = belvo.link(link)["status"]

    answer = belvo.resume(challenge, "111111")

    assert before == "token_required"
    assert (answer.status_code, answer.json()["status"], answer.json()["id"]) == (200, "valid", link)


def test_a_plain_code_comes_without_a_challenge(belvo: Belvo) -> None:
    assert generation(belvo, "mfa_default") == {}


def test_a_number_is_to_be_typed_into_the_app_of_the_bank(belvo: Belvo) -> None:
    challenge = generation(belvo, "mfa_numeric")

    assert challenge["type"] == "numeric"
    assert re.fullmatch(r"\d{6}", challenge["value"])
    assert challenge["expects_user_input"] is True


def test_a_qr_challenge_is_a_picture(belvo: Belvo) -> None:
    challenge = generation(belvo, "mfa_qr")

    assert challenge["type"] == "qr"
    assert base64.b64decode(challenge["value"], validate=True).startswith(b"\x89PNG\r\n")


def test_a_text_challenge_asks_in_words(belvo: Belvo) -> None:
    challenge = generation(belvo, "mfa_text")

    assert (challenge["type"], challenge["expects_user_input"]) == ("text", True)
    assert challenge["value"].endswith("?")


def test_an_approval_is_resumed_without_a_code(belvo: Belvo) -> None:
    challenge = received(belvo.register("maria", "mfa_approve"))

    answer = belvo.resume(challenge)

    assert challenge["token_generation_data"]["expects_user_input"] is False
    assert answer.status_code == 201


def test_the_shape_is_a_list_with_text_or_an_object_with_a_number(belvo: Belvo) -> None:
    link = belvo.new_link()

    registering = belvo.register("tomas", "mfa_default").json()
    updating = belvo.update(link, "mfa_default").json()
    updating_today = belvo.update(link, "mfa_array").json()

    assert [error["expiry"] for error in registering] == ["720"]
    assert updating["expiry"] == 720
    assert [error["expiry"] for error in updating_today] == ["720"]


def test_a_wrong_code_gives_a_new_challenge_and_voids_the_old_one(belvo: Belvo, clock: MovableClock) -> None:
    first = received(belvo.register("maria", "mfa_short"))
    clock.forward(10)
    second = received(belvo.resume(first, "999999"))
    clock.forward(10)

    old = belvo.resume(first, "111111")
    new = belvo.resume(second, "111111")

    assert second["session"] != first["session"]
    assert old.json()[0]["code"] == "session_expired"
    assert new.status_code == 201


def test_an_expired_code_is_rejected(belvo: Belvo, clock: MovableClock) -> None:
    challenge = received(belvo.register("maria", "mfa_short"))
    clock.forward(12)

    answer = belvo.resume(challenge, "111111")

    assert challenge["expiry"] == "12"
    assert (answer.status_code, answer.json()[0]["code"]) == (400, "session_expired")
    assert belvo.link(challenge["link"])["status"] == "unconfirmed"


def test_five_wrong_codes_lock_the_account(belvo: Belvo) -> None:
    challenge = received(belvo.register("maria", "mfa_default"))
    for _ in range(4):
        challenge = received(belvo.resume(challenge, "999999"))

    answer = belvo.resume(challenge, "999999")

    assert answer.json()[0]["message"].startswith("The user account is locked")
    assert belvo.resume(challenge, "111111").json()[0]["code"] == "session_expired"


def test_a_session_belongs_to_one_link(belvo: Belvo) -> None:
    challenge = received(belvo.register("maria", "mfa_default"))
    other = belvo.new_link("tomas")

    answer = belvo.resume({**challenge, "link": other}, "111111")

    assert (answer.status_code, answer.json()[0]["field"]) == (400, "link")
    assert belvo.resume(challenge, "111111").status_code == 201


def test_a_new_login_voids_the_code_of_an_older_one(belvo: Belvo) -> None:
    link = belvo.new_link()
    old = received(belvo.update(link, "mfa_default"))

    belvo.update(link, "mfa_default")

    assert belvo.resume(old, "111111").json()[0]["code"] == "session_expired"


def test_a_bank_that_asks_for_codes_takes_one_sent_along(belvo: Belvo) -> None:
    link = belvo.new_link(institution="gotham_mx_business")

    assert belvo.update(link, "pass_valid", token="111111").status_code == 200
    assert belvo.update(link, "pass_valid", token="999999").status_code == 428


def test_a_slow_bank_can_ask_for_a_code(belvo: Belvo) -> None:
    answer = belvo.register("maria", "slow_mfa_1")

    assert answer.elapsed.total_seconds() >= 1
    assert received(answer)["session"]


@pytest.mark.parametrize(("code", "status"), [("100001", "valid"), ("100002", "unconfirmed")])
def test_the_answer_to_a_code_can_be_lost(belvo: Belvo, code: str, status: str) -> None:
    challenge = received(belvo.register("maria", "mfa_default"))

    with pytest.raises(requests.ConnectionError):
        belvo.resume(challenge, code)

    assert belvo.link(challenge["link"])["status"] == status


@pytest.mark.parametrize(("code", "expected"), [("100400", 400), ("100409", 400), ("100500", 500)])
def test_a_rejected_code_can_be_sent_again(belvo: Belvo, code: str, expected: int) -> None:
    challenge = received(belvo.register("maria", "mfa_default"))

    assert belvo.resume(challenge, code).status_code == expected
    assert belvo.resume(challenge, "111111").status_code == 201


def test_an_abandoned_register_does_not_stop_a_second_one(belvo: Belvo) -> None:
    received(belvo.register("mfa_default"))

    second = received(belvo.register("mfa_default"))

    assert belvo.resume(second, "111111").status_code == 201
    assert belvo.register("mfa_default").json()[0]["code"] == "duplicated"


def steps(belvo: Belvo, word: str, *answers: str | None) -> list[dict[str, Any]]:
    """Send the responses in order. Returns the bank's challenge before each."""
    answer, asked = belvo.update(belvo.new_link(), word), []
    for given in answers:
        challenge = received(answer)
        asked.append(challenge.get("token_generation_data", {}))
        answer = belvo.resume(challenge, given)
    assert answer.status_code == 200, answer.text
    return asked


def test_a_login_of_three_steps_asks_for_another_thing_each_time(belvo: Belvo) -> None:
    asked = steps(belvo, "mfa_three", "111111", "111111", "111111")

    assert [each["type"] for each in asked] == ["text", "numeric", "text"]
    assert len({each["value"] for each in asked}) == 3


def test_a_login_of_five_steps_has_an_approval_among_them(belvo: Belvo) -> None:
    asked = steps(belvo, "mfa_five", "111111", "111111", "111111", None, "111111")

    assert [each["expects_user_input"] for each in asked] == [True, True, True, False, True]


def test_a_wrong_answer_in_the_middle_asks_for_the_same_thing_with_a_new_number(belvo: Belvo) -> None:
    asked = steps(belvo, "mfa_three", "111111", "999999", "111111", "111111")

    assert [each["type"] for each in asked] == ["text", "numeric", "numeric", "text"]
    assert asked[1]["instructions"] == asked[2]["instructions"]
    assert asked[1]["value"] != asked[2]["value"]


def test_an_approval_can_be_requested_twice_in_the_same_words(belvo: Belvo) -> None:
    first, second = steps(belvo, "mfa_unapproved", None, None)

    assert first == second


@pytest.mark.parametrize("answer", ["111111", "999999"])
def test_a_bank_can_ask_for_the_same_kind_in_other_words_after_any_answer(belvo: Belvo, answer: str) -> None:
    first, second = steps(belvo, "mfa_reworded", answer, "111111")

    assert first["type"] == second["type"] == "numeric"
    assert first["instructions"] != second["instructions"]


def test_two_questions_follow_each_other_in_other_words(belvo: Belvo) -> None:
    first, second = steps(belvo, "mfa_questions", "111111", "111111")

    assert (first["type"], first["instructions"]) == (second["type"], second["instructions"])
    assert first["value"] != second["value"]
