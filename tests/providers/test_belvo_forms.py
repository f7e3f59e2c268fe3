"""Belvo: the fields of a form come from the institution."""

from dataclasses import dataclass

import pytest

from linkadmin.providers.types import CredentialField, FieldKind

from .conftest import belvo_at

BELVO = belvo_at("https://sandbox.belvo.com")


@dataclass
class Institution:
    form_fields: object
    name: str = "erebor_mx_retail"


USERNAME = {
    "name": "username",
    "type": "text",
    "label": "usuário",
    "validation": "^[a-zA-Z0-9_]{1,16}$",
    "validation_message": "Requer entre 1 e 16 caracteres",
    "placeholder": "12345678901",
}
PASSWORD = {"name": "password", "type": "password", "label": "senha"}
TOKEN = {
    "name": "token",
    "type": "number",
    "label": "Token",
    "length": "6",
    "optional": True,
    "validation": r"^\d{6}$",
}
USERNAME_TYPE = {
    "name": "username_type",
    "type": "select",
    "placeholder": "Opções de acesso",
    "pre_selected": 1,
    "values": [
        {"code": "999", "label": "Identification", "validation": "^.{1,}$"},
        {"code": "003", "label": "Passport", "validation": r"^\w+$", "validation_message": "Mal", "placeholder": "X1"},
    ],
}


def names(fields: tuple[CredentialField, ...]) -> list[str]:
    return [one.name for one in fields]


def create_field(item: dict[str, object]) -> CredentialField:
    return BELVO.create_fields(Institution([item]))[0]


def test_a_field_keeps_the_institutions_own_words_and_pattern() -> None:
    one = create_field(USERNAME)
    assert (one.label, one.placeholder) == ("usuário", "12345678901")
    assert (one.pattern, one.pattern_message) == ("^[a-zA-Z0-9_]{1,16}$", "Requer entre 1 e 16 caracteres")
    assert one.required


def test_a_user_name_is_secret_yet_typed_visibly() -> None:
    one = create_field(USERNAME)
    assert (one.secret, one.kind) == (True, FieldKind.TEXT)


def test_a_password_is_secret_and_hidden() -> None:
    one = create_field(PASSWORD)
    assert (one.secret, one.kind) == (True, FieldKind.PASSWORD)


def test_a_number_stays_text_with_its_length() -> None:
    one = create_field(TOKEN)
    assert (one.kind, one.max_length, one.required, one.advanced) == (FieldKind.TEXT, 6, False, True)


def test_a_choice_governs_the_pattern_of_the_user_name() -> None:
    one = create_field(USERNAME_TYPE)
    assert (one.kind, one.secret, one.governs, one.initial) == (FieldKind.SELECT, False, "username", "003")
    passport = one.choices[1]
    assert (passport.value, passport.label, passport.pattern, passport.pattern_message) == (
        "003",
        "Passport",
        r"^\w+$",
        "Mal",
    )


def test_the_institutions_order_is_kept() -> None:
    fields = BELVO.create_fields(Institution([USERNAME_TYPE, USERNAME, PASSWORD]))
    assert names(fields) == ["username_type", "username", "password", "access_mode"]


def test_an_update_never_asks_for_a_user_name() -> None:
    fields = BELVO.update_fields(Institution([USERNAME_TYPE, USERNAME, {"name": "username2"}, PASSWORD, TOKEN]))
    assert names(fields) == ["username_type", "password", "token", "encryption_key"]
    assert fields[0].governs == ""


def test_rarely_needed_fields_are_folded_away_and_optional() -> None:
    fields = BELVO.update_fields(Institution([USERNAME, PASSWORD]))
    assert [(one.name, one.required) for one in fields if one.advanced] == [("token", False), ("encryption_key", False)]


def test_a_tax_office_takes_a_certificate_in_place_of_a_password() -> None:
    tax_office = Institution([USERNAME, PASSWORD], name="tatooine_mx_fiscal")
    assert names(BELVO.create_fields(tax_office)) == [
        "username",
        "password",
        "certificate",
        "private_key",
        "access_mode",
    ]
    fields = {one.name: one for one in BELVO.update_fields(tax_office)}
    assert not fields["password"].required
    assert (fields["certificate"].kind, fields["private_key"].secret) == (FieldKind.FILE_TEXT, True)


def test_all_seven_fields_of_an_update_can_be_offered() -> None:
    tax_office = Institution([USERNAME_TYPE, PASSWORD, {"name": "password2"}], name="tatooine_mx_fiscal")
    assert set(names(BELVO.update_fields(tax_office))) == {
        "password",
        "password2",
        "token",
        "encryption_key",
        "username_type",
        "certificate",
        "private_key",
    }


def test_where_no_password_is_typed_no_update_is_offered() -> None:
    open_finance = Institution([{**USERNAME, "label": "CPF"}], name="ofmockbank_br_retail")
    assert BELVO.update_fields(open_finance) == ()


def test_a_hidden_field_is_not_shown_and_its_value_is_fixed() -> None:
    employment = Institution([USERNAME, {"name": "password", "type": "hidden", "value": "fake-password"}])
    assert names(BELVO.create_fields(employment)) == ["username", "access_mode"]
    assert BELVO.fixed_values(employment) == {"password": "fake-password"}
    assert BELVO.update_fields(employment) == ()


@pytest.mark.parametrize(
    "form_fields",
    [None, "text", 5, {}, [None, "x", 7, [], {}], [{"name": "colour"}], [{"name": ["username"]}]],
)
def test_a_broken_list_of_fields_breaks_nothing(form_fields: object) -> None:
    institution = Institution(form_fields)
    assert names(BELVO.create_fields(institution)) == ["access_mode"]
    assert BELVO.update_fields(institution) == ()


@pytest.mark.parametrize(
    "odd",
    [
        {"label": 5, "validation": ["^a$"], "placeholder": None},
        {"values": "none", "type": "select", "pre_selected": 9},
        {"length": "long", "optional": "yes"},
        {"validation": "a" * 5000},
    ],
)
def test_odd_values_of_a_field_are_left_out(odd: dict[str, object]) -> None:
    one = create_field({"name": "username", **odd})
    assert (one.label, one.pattern, one.initial, one.max_length) == ("User name", "", "", 0)


def test_without_an_institution_user_name_and_password_are_asked_for() -> None:
    assert names(BELVO.create_fields(None)) == ["username", "password", "access_mode"]
    assert names(BELVO.update_fields(None)) == ["password", "token", "encryption_key"]
