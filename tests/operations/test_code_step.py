"""The code step: how challenges look, and codes that are wrong, late, a colleague's, or canceled."""

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, PendingChallenge, State
from linkadmin.providers.types import Cause
from tests.canary.dump import tables
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = re.compile(r'class="challenge__number">(\d{6})<')


def asked(env: Environment, password: str = "pass_mfa", name: str = "ana") -> Link:
    """Bring a link to its code step."""
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", name, password=password)
    return link


def url_of(link: Link) -> str:
    return f"/links/{link.pk}/code/"


def give(env: Environment, link: Link, code: str, name: str = "ana") -> Page:
    return env.send(url_of(link), name, code=code)


def test_code_request_leads_to_the_code_step(env: Environment) -> None:
    link = env.belvo_link()

    answer = env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")

    assert (answer.status, answer.location) == (303, url_of(link))
    page = env.open(answer.location)
    assert "Ask the customer for the code the bank sent them." in page.words
    assert page.inputs()["code"]["autocomplete"] == "off"


@pytest.mark.parametrize("password", ["mfa_array", "mfa_object"])
def test_time_left_comes_from_the_provider(env: Environment, password: str) -> None:
    page = env.open(url_of(asked(env, password)))

    (clock,) = [each.attrs for each in page.elements if "data-countdown" in each.attrs]
    (bar,) = [each.attrs for each in page.elements if each.tag == "progress"]
    assert bar["max"] == "720"
    assert clock["role"] == "timer"


def test_number_is_shown_with_the_banks_instructions(env: Environment) -> None:
    page = env.open(url_of(asked(env, "numeric_code")))

    assert NUMBER.search(page.source)
    assert "From the bank: Escribe este número" in page.words
    assert "code" in page.inputs()


def picture_of(env: Environment, link: Link) -> str:
    """URL of the picture at a link's code step."""
    (picture,) = [each.attrs for each in env.open(url_of(link)).elements if each.tag == "img"]
    assert picture["alt"] == "QR code from the bank"
    return picture["src"]


def test_picture_has_a_url_of_its_own(env: Environment) -> None:
    url = picture_of(env, asked(env, "qr_code"))

    answer = env.client().get(url)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.startswith(b"\x89PNG")


def test_no_page_may_embed_a_picture(env: Environment) -> None:
    page = env.open(url_of(asked(env, "qr_code")))

    assert "img-src 'self';" in page.headers["content-security-policy"]
    assert "data:" not in page.headers["content-security-policy"]
    assert "data:image" not in page.source


def test_head_of_a_picture_has_no_body(env: Environment) -> None:
    url = picture_of(env, asked(env, "qr_code"))

    answer = env.client().head(url)

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"", "image/png")


def test_picture_takes_no_post(env: Environment) -> None:
    assert env.client().post(picture_of(env, asked(env, "qr_code"))).status_code == 405


@pytest.mark.parametrize(("name", "status"), [("ana", 200), ("ben", 200), ("mia", 403), ("aud", 403), ("adm", 403)])
def test_picture_opens_for_those_who_may_enter_a_code(env: Environment, name: str, status: int) -> None:
    url = picture_of(env, asked(env, "qr_code"))

    assert env.client(name).get(url).status_code == status


def test_picture_of_another_link_is_not_found(env: Environment) -> None:
    link, other = asked(env, "qr_code"), asked(env, "qr_code")
    url = picture_of(env, link)

    assert env.client().get(url.replace(str(link.pk), str(other.pk))).status_code == 404


def test_picture_is_gone_when_the_challenge_expires(env: Environment) -> None:
    link = asked(env, "qr_code")
    url = picture_of(env, link)
    PendingChallenge.objects.update(expires_at=timezone.now())

    assert env.client().get(url).status_code == 404


def test_picture_is_gone_when_the_code_is_entered(env: Environment) -> None:
    link = asked(env, "qr_code")
    url = picture_of(env, link)
    give(env, link, "111111")

    assert env.client().get(url).status_code == 404


def test_picture_of_an_earlier_challenge_is_gone_when_the_bank_asks_again(env: Environment) -> None:
    link = asked(env, "qr_code")
    url = picture_of(env, link)
    give(env, link, "222222")

    assert env.client().get(url).status_code == 404
    assert picture_of(env, link) != url


@pytest.mark.parametrize("password", ["pass_mfa", "mfa_numeric", "mfa_text"])
def test_challenge_without_a_picture_has_none(env: Environment, password: str) -> None:
    link = asked(env, password)
    challenge = PendingChallenge.objects.get()

    assert env.client().get(f"{url_of(link)}{challenge.pk}/picture/").status_code == 404


def test_question_of_the_bank_is_text_and_never_markup(env: Environment) -> None:
    page = env.open(url_of(asked(env, "mfa_text")))

    assert "¿Qué código te dio el asesor de tu sucursal?" in page.words
    assert "code" in page.inputs()


def test_approval_has_a_button_and_no_input(env: Environment) -> None:
    link = asked(env, "mfa_approve")
    page = env.open(url_of(link))
    assert "code" not in page.inputs()
    assert "Done, continue" in page.words

    answer = env.send(url_of(link))

    assert answer.location == link.get_absolute_url()


def test_right_code_repairs_the_link(env: Environment) -> None:
    link = asked(env)

    answer = give(env, link, "111111")

    link.refresh_from_db()
    assert answer.location == link.get_absolute_url()
    assert link.is_verifying
    assert env.last_operation(link).state == State.SUCCEEDED


@pytest.mark.parametrize("typed", [" 111 111 ", "111-111", "111\u2013111", "\u00a0111111"])
def test_pasted_code_is_cleaned(env: Environment, typed: str) -> None:
    link = asked(env)

    give(env, link, typed)

    assert env.calls("PATCH")[0].body["token"] == "111111"


def test_text_the_bank_requested_is_sent_as_typed(env: Environment) -> None:
    link = asked(env, "mfa_text")

    give(env, link, " my first dog ")

    assert env.calls("PATCH")[0].body["token"] == " my first dog "


def test_empty_code_is_an_error_at_its_field(env: Environment) -> None:
    link = asked(env)

    page = give(env, link, " ")

    assert page.status == 422
    assert page.error_at("code") == "Enter the code the customer reads to you."
    assert env.calls("PATCH") == []


def test_wrong_code_replaces_the_challenge(env: Environment) -> None:
    link = asked(env, "numeric_code")
    before = env.open(url_of(link))
    old = PendingChallenge.objects.get()

    answer = give(env, link, "999999")

    page = env.open(answer.location)
    assert "Wrong or expired code" in page.words
    assert NUMBER.search(page.source)[1] != NUMBER.search(before.source)[1]  # type: ignore[index]
    assert PendingChallenge.objects.get().pk != old.pk
    assert old.operation.children.get().state == State.NEEDS_CODE


def test_form_of_the_old_challenge_is_not_sent(env: Environment) -> None:
    link = asked(env)
    old = env.open(url_of(link)).form_with("code").values
    give(env, link, "999999")

    answer = env.client().post(url_of(link), old | {"code": "111111"}, follow=True)

    assert "Nothing was sent." in answer.content.decode()
    assert len(env.calls("PATCH")) == 1


def test_after_three_wrong_codes_no_other_is_sent(env: Environment) -> None:
    link = asked(env)
    for _each in range(3):
        key = str(PendingChallenge.objects.get().pk)
        ended = give(env, link, "999999")

    env.post(url_of(link), {"operation_key": str(uuid.uuid4()), "challenge": key, "code": "111111"})

    assert "No attempts left today" in env.open(ended.location).words
    assert len(env.calls("PATCH", "/api/links/")) == 3


def test_expired_code_is_not_sent(env: Environment) -> None:
    link = asked(env, "mfa_short")
    form = env.open(url_of(link)).form_with("code").values
    PendingChallenge.objects.update(expires_at=timezone.now())

    page = env.post(url_of(link), form | {"code": "111111"})

    assert page.status == 409
    assert "Code expired" in page.words
    assert "Start over" in page.words
    assert env.calls("PATCH") == []


@pytest.mark.parametrize("is_noted", [False, True])
@pytest.mark.parametrize("htmx", [False, True])
def test_expired_code_page_says_so_once_and_offers_one_way_forward(
    env: Environment, is_noted: bool, htmx: bool
) -> None:
    link = asked(env, "numeric_code")
    PendingChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if is_noted:
        tasks.close_overdue()

    page = read(env.client().get(url_of(link), headers=HTMX if htmx else {}))

    assert page.source.count('role="alert"') == 1
    assert page.source.count("button--primary") == 1
    assert "Start over" in page.words
    assert "Waiting for the code" not in page.words
    assert "The bank is asking" not in page.words or not htmx
    assert not NUMBER.search(page.source)
    assert "code" not in page.inputs()
    assert page.is_whole is not htmx
    assert env.post(f"{url_of(link)}withdraw/").location == f"/links/{link.pk}/credentials/"


def test_code_step_updates_when_it_expires(env: Environment) -> None:
    page = env.open(url_of(asked(env)))

    (step,) = [each.attrs for each in page.elements if each.attrs.get("id") == "code-step"]
    assert "countdown-over" in step["hx-trigger"]
    assert "data-countdown-scope" in step


def test_code_without_a_readable_session_is_not_sent(env: Environment) -> None:
    link = asked(env)
    PendingChallenge.objects.update(encrypted_session=b"encrypted with another key")

    page = give(env, link, "111111")

    assert page.status == 409
    assert "Start over" in page.words
    assert env.calls("PATCH") == []


def test_code_expired_at_the_provider_starts_over(env: Environment) -> None:
    link = asked(env, "mfa_short")
    env.clock.forward(13)

    answer = give(env, link, "111111")

    page = env.open(answer.location)
    assert "Code expired" in page.words
    assert f"/links/{link.pk}/credentials/" in page.links()
    assert env.last_operation(link).state == State.EXPIRED


def test_expired_code_is_shown_on_the_links_page(env: Environment) -> None:
    link = asked(env, "mfa_short")
    PendingChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    tasks.close_overdue()

    page = env.open(link.get_absolute_url())
    assert "Code expired" in page.words
    assert f"/links/{link.pk}/credentials/" in page.links()
    assert not PendingChallenge.objects.exists()


def test_page_without_a_challenge_leads_to_the_link(env: Environment) -> None:
    link = env.belvo_link()

    assert env.client().get(url_of(link)).headers["Location"] == link.get_absolute_url()


def test_colleague_sees_the_step_and_cannot_send(env: Environment) -> None:
    link = asked(env, "numeric_code")
    challenge = PendingChallenge.objects.get()
    page = env.open(url_of(link), "ben")
    assert NUMBER.search(page.source)
    assert "Ana started this, so only they can enter the code." in page.words

    sent = env.post(
        url_of(link), {"operation_key": str(challenge.pk), "challenge": str(challenge.pk), "code": "111111"}, "ben"
    )

    assert sent.status == 409
    assert env.calls("PATCH") == []


@pytest.mark.parametrize("name", ["mia", "aud"])
@pytest.mark.parametrize("password", ["numeric_code", "qr_code", "mfa_text"])
def test_who_cannot_repair_sees_no_value_of_the_challenge(env: Environment, name: str, password: str) -> None:
    link = asked(env, password)

    page = env.open(url_of(link), name)

    assert "The bank is asking for a one-time code" in page.words
    assert not NUMBER.search(page.source)
    assert "/picture/" not in page.source
    assert "¿Qué código" not in page.source
    assert "code" not in page.inputs()


def test_auditor_sees_no_name_at_the_code_step(env: Environment) -> None:
    link = asked(env, "numeric_code")

    waiting = env.open(url_of(link), "aud")
    Operation.objects.filter(link=link).update(state=State.EXPIRED, outcome="code_too_late")
    over = env.open(url_of(link), "aud")

    for page in (waiting, over):
        assert "The bank is asking for a one-time code" in page.words
        assert link.end_user.name not in page.source
        assert f"{link.end_user.name[0]}•••" in page.words


def test_value_and_session_of_a_challenge_are_nowhere_in_the_database(env: Environment) -> None:
    link = asked(env, "numeric_code")
    number = NUMBER.search(env.open(url_of(link)).source)[1]  # type: ignore[index]
    session = next(iter(env.simulator.store.attempts))
    while_waiting = _everything_stored()
    give(env, link, "475869")

    stored = while_waiting + _everything_stored()

    assert link.remote_id in stored
    for secret in (number, session, "475869", "numeric_code", "Escribe este"):
        assert secret not in stored


def test_page_says_when_what_the_bank_shows_cannot_be_decrypted(env: Environment) -> None:
    link = asked(env, "qr_code")
    PendingChallenge.objects.update(encrypted_shown=b"encrypted with another key")

    page = env.open(url_of(link))

    assert "This challenge is no longer available" in page.words


def test_sign_in_attempt_can_be_canceled(env: Environment) -> None:
    link = asked(env)
    operation = env.last_operation(link)

    answer = env.post(f"{url_of(link)}withdraw/")

    operation.refresh_from_db()
    link.refresh_from_db()
    assert answer.location == f"/links/{link.pk}/credentials/"
    assert (operation.state, operation.outcome) == (State.EXPIRED, "withdrawn")
    assert not PendingChallenge.objects.exists()
    assert link.cause == Cause.CODE_NEEDED.value


def test_colleague_cannot_cancel_an_attempt(env: Environment) -> None:
    link = asked(env)

    answer = env.post(f"{url_of(link)}withdraw/", name="ben")

    assert answer.location == url_of(link)
    assert env.last_operation(link).state == State.NEEDS_CODE
    assert "Cancel this attempt" not in env.open(url_of(link), "ben").words
    assert AuditEvent.objects.filter(actor="ben", outcome="not_sent").exists()


def test_manager_cancels_an_attempt_of_somebody_who_left(env: Environment) -> None:
    link = asked(env)
    User.objects.filter(username="ana").update(is_active=False)
    cancel = f"{url_of(link)}cancel/"
    assert "Cancel this attempt" in env.open(url_of(link), "mia").words
    assert env.post(cancel, name="mia").status == 422

    env.send(cancel, "mia", reason="Ana has left.")

    operation = env.last_operation(link)
    assert (operation.state, operation.outcome, operation.note) == (State.EXPIRED, "withdrawn", "Ana has left.")
    event = AuditEvent.objects.get(action__endswith=".canceled")
    assert (event.actor, event.details) == ("mia", {"started_by": str(operation.actor_id)})
    assert env.send(f"/links/{link.pk}/credentials/", "ben", password="pass_mfa").location == url_of(link)


def test_canceled_attempt_can_be_started_over(env: Environment) -> None:
    link = asked(env)
    env.post(f"{url_of(link)}withdraw/")

    answer = env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")

    assert answer.location == url_of(link)
    assert len(env.calls("PUT")) == 2


def test_rejected_code_shows_why(env: Environment) -> None:
    link = asked(env)

    answer = give(env, link, "100400")

    assert "locked" in env.open(answer.location).words
    assert env.last_operation(link).state == State.REJECTED


def test_lost_response_to_a_code_is_resolved_by_reading(env: Environment) -> None:
    link = asked(env)

    give(env, link, "100001")
    tasks.reconcile_one(str(env.last_operation(link).pk))

    assert env.last_operation(link).state == State.CONFIRMED_DONE
    assert len(env.calls("PATCH")) == 1


def _everything_stored() -> str:
    return "\n".join(tables().values())
