"""Distinct secrets typed into every secret field, in every way a form can end: none is anywhere afterwards."""

import pytest

from .conftest import Typed
from .typist import LOGIN_FIELDS, UPDATE_FIELDS

pytestmark = pytest.mark.xdist_group("canary")


def test_no_secret_is_kept_anywhere(typed: Typed) -> None:
    assert typed.secrets.found_in(typed.places) == []


def test_what_a_bank_shows_is_in_the_one_page_that_shows_it(typed: Typed) -> None:
    found = typed.shown.found_in(typed.places)

    assert {place.split(" in ")[0] for place in found} == {"number", "instructions"}
    assert all(place.endswith("/token/") for place in found), found


def test_every_field_did_reach_the_provider(typed: Typed) -> None:
    heard = {"what the parrot heard": "\n".join(typed.heard).encode()}

    reached = {label.split(" in ")[0] for label in typed.secrets.found_in(heard)}

    keys = {"belvo_secret_id", "belvo_secret_password", "heron_api_key"}
    assert reached >= {*LOGIN_FIELDS, *UPDATE_FIELDS, *keys, "access_token", "code"}


def test_a_call_cut_by_a_kill_is_still_an_operation(typed: Typed) -> None:
    assert "Contacting the bank" in typed.killed or "Outcome unknown" in typed.killed
