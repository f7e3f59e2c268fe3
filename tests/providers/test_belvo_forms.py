"""Belvo: form fields come from the institution."""

import re
from dataclasses import dataclass

import pytest

from linkadmin.providers.types import CredentialField, FieldKind

from .conftest import belvo_at

BELVO = belvo_at("https://sandbox.belvo.com")


@dataclass
class Institution:
    form_fields: object
    name: str = "erebor_mx_retail"
    resources: object = ()
    integration_type: str = "credentials"


OPTIONS = ["access_mode", "credentials_storage", "stale_in"]
MORE = ["username2", "username3", "password2", "token", "username_type", "certificate", "private_key"]
MORE_TO_UPDATE = ["password2", "token", "encryption_key", "username_type", "certificate", "private_key"]
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


def without(names: list[str], *listed: str) -> list[str]:
    return [name for name in names if name not in listed]


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


def test_a_number_stays_text_on_a_keyboard_of_digits_and_of_any_length() -> None:
    one = create_field(TOKEN)
    assert (one.kind, one.is_number, one.max_length) == (FieldKind.TEXT, True, 0)


@pytest.mark.parametrize("optional", [True, False])
def test_a_code_is_never_needed_before_the_bank_asks(optional: bool) -> None:
    one = create_field({**TOKEN, "optional": optional})
    assert (one.required, one.advanced) == (False, True)
    assert BELVO.code_field(Institution([TOKEN])) == BELVO.create_fields(Institution([TOKEN]))[0]
    assert BELVO.code_field(Institution([PASSWORD])) is None


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


def test_the_institutions_order_is_preserved() -> None:
    fields = BELVO.create_fields(Institution([USERNAME_TYPE, USERNAME, PASSWORD]))
    assert names(fields) == ["username_type", "username", "password", *without(MORE, "username_type"), *OPTIONS]


def test_an_update_never_asks_for_a_user_name() -> None:
    fields = BELVO.update_fields(Institution([USERNAME_TYPE, USERNAME, {"name": "username2"}, PASSWORD, TOKEN]))
    listed = ["username_type", "password", "token"]
    assert names(fields) == [*listed, *without(MORE_TO_UPDATE, *listed)]
    assert fields[0].governs == ""


def test_rarely_needed_fields_are_folded_away_and_optional() -> None:
    fields = BELVO.update_fields(Institution([USERNAME, PASSWORD]))
    assert [(one.name, one.required) for one in fields if one.advanced] == [(name, False) for name in MORE_TO_UPDATE]


def test_a_tax_office_takes_a_certificate_in_place_of_a_password() -> None:
    tax_office = Institution([USERNAME, PASSWORD], name="tatooine_mx_fiscal")
    assert names(BELVO.create_fields(tax_office)) == [
        "username",
        "password",
        "certificate",
        "private_key",
        *without(MORE, "certificate", "private_key"),
        *OPTIONS,
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
    assert names(BELVO.create_fields(employment)) == ["username", *OPTIONS]
    assert BELVO.fixed_values(employment) == {"password": "fake-password"}
    assert BELVO.update_fields(employment) == ()


@pytest.mark.parametrize(
    "form_fields",
    [None, "text", 5, {}, [None, "x", 7, [], {}], [{"name": "colour"}], [{"name": ["username"]}]],
)
def test_a_broken_list_of_fields_breaks_nothing(form_fields: object) -> None:
    institution = Institution(form_fields)
    assert names(BELVO.create_fields(institution)) == names(BELVO.create_fields(None))
    assert names(BELVO.update_fields(institution)) == names(BELVO.update_fields(None))


def test_open_finance_with_unknown_fields_has_no_password() -> None:
    institution = Institution([], integration_type="openfinance")
    assert names(BELVO.create_fields(institution)) == OPTIONS
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
    assert (one.label, one.pattern, one.initial, one.max_length) == ("Username", "", "", 0)


def test_without_an_institution_there_are_username_and_password() -> None:
    assert names(BELVO.create_fields(None)) == ["username", "password", *MORE, *OPTIONS]
    assert names(BELVO.update_fields(None)) == ["password", *MORE_TO_UPDATE]


def offering(*resources: object) -> Institution:
    return Institution([USERNAME, PASSWORD], resources=list(resources))


def test_what_is_fetched_is_bounded_by_what_the_institution_offers() -> None:
    bank = offering("ACCOUNTS", "OWNERS", 5, None, "")
    chosen = [
        next(one for one in fields if one.kind is FieldKind.MANY)
        for fields in (BELVO.create_fields(bank), BELVO.settings_fields(bank), BELVO.fetch_fields(bank))
    ]
    assert [one.name for one in chosen] == ["fetch_resources", "resources", "resources"]
    assert {tuple(choice.value for choice in one.choices) for one in chosen} == {("ACCOUNTS", "OWNERS")}
    assert not any(one.required for one in chosen)


@pytest.mark.parametrize("resources", [(), None, "ACCOUNTS", 5, [None, 7]])
def test_where_nothing_is_known_to_be_offered_nothing_can_be_chosen(resources: object) -> None:
    bank = Institution([USERNAME, PASSWORD], resources=resources)
    assert names(BELVO.create_fields(bank)) == ["username", "password", *MORE, *OPTIONS]
    assert names(BELVO.settings_fields(bank)) == ["access_mode", "stale_in"]
    assert BELVO.fetch_fields(bank) == ()


def test_the_options_of_a_new_link_are_folded_away_and_say_what_they_imply() -> None:
    options = [one for one in BELVO.create_fields(offering("ACCOUNTS")) if one.advanced and one.name not in MORE]
    assert names(tuple(options)) == ["fetch_resources", "credentials_storage", "stale_in"]
    said = {one.name: one.help_text for one in options}
    assert "webhook" in said["fetch_resources"]
    assert "can't be changed later" in said["credentials_storage"]
    assert "deletes" in said["stale_in"]


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        *(("credentials_storage", value, True) for value in ("store", "nostore", "1d", "90d", "365d")),
        *(("credentials_storage", value, False) for value in ("0d", "366d", "90", "stored", "1000d")),
        *(("stale_in", value, True) for value in ("1d", "365d", "1000d")),
        *(("stale_in", value, False) for value in ("0d", "d", "365", "-1d")),
    ],
)
def test_an_option_takes_only_what_belvo_takes(name: str, value: str, fits: bool) -> None:
    field = next(one for one in BELVO.create_fields(None) if one.name == name)
    assert (re.search(field.pattern, value) is not None) is fits


def test_a_change_to_recurring_is_said_to_be_billed() -> None:
    fields = {one.name: one for one in BELVO.settings_fields(offering("ACCOUNTS"))}
    assert list(fields) == ["access_mode", "stale_in", "resources"]
    assert "bills" in fields["access_mode"].help_text
    assert [one.name for one in fields.values() if one.required or one.advanced or one.initial] == []


def test_a_removal_is_offered_at_once_and_in_the_background() -> None:
    (how,) = BELVO.removal_fields
    assert ([choice.value for choice in how.choices], how.initial) == (["at_once", "in_background"], "at_once")


def test_searches_offer_each_name_once() -> None:
    for fields in (BELVO.link_filters, BELVO.institution_filters):
        assert len(set(names(fields))) == len(fields)
        assert [one.name for one in fields if one.required or one.secret] == []
