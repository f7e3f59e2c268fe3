"""The simulated Belvo's banks, tax authorities and employers. All but its own sandbox institutions are invented."""

from typing import Any

Institution = dict[str, Any]  # as in the API

OPEN_FINANCE = "openfinance"
WORD = "^[a-zA-Z0-9_]{1,16}$"
ANY = r"^[\s\S]{1,}$"
CPF = r"^\d{11}|\d{3}\.\d{3}\.\d{3}-\d{2}$"
CNPJ = r"^\d{14}$|^\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}$"
RFC = r"^[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}$"
RUT = r"^\d{7,8}-[\dkK]$"
CURP = "^([A-Z]{4})([0-9]{6})([A-Z]{6})([A-Z0-9]{2})$"

RESOURCES = {
    "bank": ["ACCOUNTS", "TRANSACTIONS", "OWNERS", "BALANCES", "INCOMES", "RECURRING_EXPENSES", "RISK_INSIGHTS"],
    "fiscal": ["TAX_COMPLIANCE_STATUS", "TAX_RETURNS", "TAX_STATUS", "INVOICES", "FINANCIAL_STATEMENTS"],
    "employment": ["EMPLOYMENT_RECORDS", "OWNERS"],
}
TOKEN_REQUIRED = {
    "name": "token_required",
    "description": "institution may need a token during link creation / login",
}


def _field(name: str, kind: str, label: str, validation: str, message: str, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "label": label,
        "validation": validation,
        "validation_message": message,
        "placeholder": "",
        **more,
    }


def _choice(code: str, label: str, validation: str, message: str, placeholder: str) -> dict[str, str]:
    return {
        "code": code,
        "label": label,
        "validation": validation,
        "validation_message": message,
        "placeholder": placeholder,
    }


def _select(label: str, *choices: dict[str, str]) -> dict[str, Any]:
    return {
        "name": "username_type",
        "type": "select",
        "label": label,
        "placeholder": label,
        "values": list(choices),
        "pre_selected": 0,
    }


_ES_16 = "Requiere entre 1 y 16 caracteres"
_PT_16 = "Requer entre 1 e 16 caracteres"
_ES_PASSWORD = _field("password", "password", "Contraseña", WORD, _ES_16)
_PT_PASSWORD = _field("password", "password", "Senha", WORD, _PT_16)
_TOKEN = _field("token", "number", "Token", r"^\d{6}$", "Requiere 6 dígitos", length="6", optional=True)
_CERTIFICATE = _field("certificate", "text", "Certificado (.cer, base64)", ANY, "Pegue el certificado completo")
_PRIVATE_KEY = _field("private_key", "text", "Clave privada (.key, base64)", ANY, "Pegue la clave completa")

CONSENTS = {"consent", "consent_company"}  # sign-ins through open finance

# Sign-in fields: one row of fields per kind of form.
LOGINS: dict[str, list[dict[str, Any]]] = {
    "es": [_field("username", "text", "Usuario", WORD, _ES_16, placeholder="12345678901"), _ES_PASSWORD],
    "pt": [_field("username", "text", "Usuário", WORD, _PT_16, placeholder="12345678901"), _PT_PASSWORD],
    "card": [
        _field("username", "number", "Número de tarjeta", r"^\d{16}$", "Requiere 16 dígitos"),
        _field("password", "password", "Clave de acceso", WORD, _ES_16),
    ],
    "document": [
        _select(
            "Tipo de documento",
            _choice("001", "Cédula de Ciudadanía", r"^\d{6,10}$", "Entre 6 y 10 dígitos", "1023456789"),
            _choice("002", "Cédula de Extranjería", r"^\d{6,7}$", "Entre 6 y 7 dígitos", "345678"),
            _choice("003", "Pasaporte", "^[A-Z0-9]{5,12}$", "Entre 5 y 12 letras y dígitos", "AB123456"),
        ),
        _field("username", "text", "Número de documento", "^.{1,}$", "Escriba el número de documento"),
        _field("password", "password", "Clave", WORD, _ES_16),
    ],
    "company": [
        _select(
            "Tipo de documento",
            _choice("020", "NIT", r"^\d{9}-?\d$", "Requiere 10 dígitos", "900123456-7"),
            _choice("001", "Cédula de Ciudadanía", r"^\d{6,10}$", "Entre 6 y 10 dígitos", "1023456789"),
        ),
        _field("username", "text", "Número de documento", "^.{1,}$", "Escriba el número de documento"),
        _field("username2", "text", "Usuario", WORD, _ES_16),
        _field("password", "password", "Clave", WORD, _ES_16),
    ],
    "agency": [
        _field("username", "number", "Agência", r"^\d{4}$", "Requer 4 dígitos", placeholder="0001"),
        _field("username2", "text", "Conta com dígito", r"^\d{4,9}-?\d$", "Requer a conta com o dígito"),
        _PT_PASSWORD,
    ],
    "cpf": [_field("username", "text", "CPF", CPF, "Requer 11 dígitos", placeholder="12345678901"), _PT_PASSWORD],
    "advanced": [
        _select(
            "Opções de acesso",
            _choice("999", "Identification (invalid)", "^.{1,}$", "Credenciales incorrectas.", "Número"),
            _choice("003", "Passport (valid)", "^.{1,}$", "Credenciales incorrectas.", "Número"),
        ),
        _field("username", "text", "Conta", WORD, _PT_16, placeholder="12345678901"),
        _field("username2", "text", "Conta 2", WORD, _PT_16, placeholder="12345678901"),
        _PT_PASSWORD,
        _field("password2", "password", "Senha 2", WORD, _PT_16),
    ],
    "consent": [_field("username", "text", "CPF", CPF, "Requer 11 dígitos", placeholder="12345678901")],
    "consent_company": [
        _field("username", "text", "CPF do representante", CPF, "Requer 11 dígitos", placeholder="12345678901"),
        _field("username2", "text", "CNPJ", CNPJ, "Requer 14 dígitos", placeholder="12345678000195"),
    ],
    "curp": [
        _field("username", "text", "CURP", CURP, "La CURP tiene 18 caracteres", placeholder="LOLJ970312MBSPPN08"),
        {"name": "password", "type": "hidden", "value": "fake-password"},
    ],
    "curp_alone": [
        _field("username", "text", "CURP", CURP, "La CURP tiene 18 caracteres", placeholder="LOLJ970312MBSPPN08")
    ],
    "gov": [
        _field("username", "text", "CPF", CPF, "Requer 11 dígitos", placeholder="12345678901"),
        _field("password", "password", "Senha gov.br", ANY, "Digite a senha"),
    ],
    "ciec": [
        _field("username", "text", "RFC", RFC, "El RFC tiene 12 o 13 caracteres", placeholder="LOLJ970312AB1"),
        _field("password", "password", "Contraseña (CIEC)", WORD, _ES_16),
    ],
    "rut": [
        _field("username", "text", "RUT", RUT, "Escriba el RUT con guion", placeholder="12345678-9"),
        _field("password", "password", "Clave tributaria", WORD, _ES_16),
    ],
    "fiscal": [
        _field("username", "text", "RFC", WORD, _ES_16),
        _field("password", "password", "Contraseña", WORD, _ES_16),
        {**_CERTIFICATE, "optional": True},
        {**_PRIVATE_KEY, "optional": True},
    ],
    "signature": [
        _field("username", "text", "RFC", RFC, "El RFC tiene 12 o 13 caracteres", placeholder="LOLJ970312AB1"),
        _field("password", "password", "Contraseña de la clave privada", WORD, _ES_16),
        _CERTIFICATE,
        _PRIVATE_KEY,
    ],
}


def _institution(
    id: int, name: str, display_name: str, login: str, *, mfa: bool = False, status: str = "healthy"
) -> Institution:
    _, country, segment = name.split("_")
    kind = segment if segment in RESOURCES else "bank"
    by_consent = login in CONSENTS
    return {
        "id": id,
        "name": name,
        "type": kind,
        "code": None if by_consent else str(id),
        "website": None,
        "display_name": display_name,
        "country_code": country.upper(),
        "country_codes": [country.upper()],
        "primary_color": "#056dae",
        "logo": None,
        "icon_logo": None,
        "text_logo": None,
        "form_fields": [*LOGINS[login], _TOKEN] if mfa else LOGINS[login],
        "features": [TOKEN_REQUIRED] if mfa else [],
        "integration_type": OPEN_FINANCE if by_consent else "credentials",
        "status": status,
        "resources": RESOURCES[kind],
        "openbanking_information": None,
    }


_ALL = (
    _institution(1004, "erebor_mx_retail", "Erebor Bank", "es"),
    _institution(1005, "erebor_co_retail", "Erebor Bank Colombia", "es"),
    _institution(1006, "erebor_br_retail", "Erebor Bank Brasil", "pt"),
    _institution(1003, "gringotts_mx_retail", "Gringotts Bank", "es"),
    _institution(1007, "gringotts_co_retail", "Gringotts Bank Colombia", "es"),
    _institution(1008, "gringotts_br_retail", "Gringotts Bank Brasil", "pt"),
    _institution(1013, "tatooine_mx_fiscal", "Tatooine Fiscal", "fiscal"),
    _institution(1014, "heimdall_mx_retail", "Heimdall Bank (Pruebas MFA)", "es", mfa=True),
    _institution(1015, "heimdall_co_retail", "Heimdall Bank Colombia (Pruebas MFA)", "es", mfa=True),
    _institution(1018, "heimdall_br_retail", "Heimdall Bank Brasil (Testes MFA)", "pt", mfa=True),
    _institution(1019, "gotham_mx_business", "Gotham Corporate", "es", mfa=True),
    _institution(1020, "gotham_co_business", "Gotham Corporate Colombia", "es", mfa=True),
    _institution(1021, "gotham_br_business", "Gotham Corporate Brasil", "pt", mfa=True),
    _institution(1016, "ironbank_br_retail", "Iron Bank (Advanced login)", "advanced"),
    _institution(1017, "ironbank_br_business", "Iron Bank Empresas (Advanced login)", "advanced"),
    _institution(9256, "ofmockbank_br_retail", "OF Mock Bank", "consent"),
    _institution(9454, "planet_mx_employment", "Planet Express Employment", "curp"),
    _institution(2001, "agavedorado_mx_retail", "Banco Agave Dorado", "es"),
    _institution(2002, "colibriazul_mx_retail", "Caja Colibrí Azul", "card"),
    _institution(2003, "tresvolcanes_mx_business", "Banco Tres Volcanes Empresas", "es", mfa=True),
    _institution(2004, "mareazul_mx_retail", "Banco Mar Azul de Prueba", "es", status="down"),
    _institution(2005, "anchorhead_mx_fiscal", "Anchorhead Fiscal (firma electrónica)", "signature"),
    _institution(2101, "paramoverde_co_retail", "Banco Páramo Verde", "document"),
    _institution(2102, "orquideareal_co_retail", "Cooperativa Orquídea Real", "document", mfa=True),
    _institution(2103, "condorandino_co_business", "Banco Cóndor de Papel Empresas", "company"),
    _institution(2201, "capivara_br_retail", "Banco Capivara", "agency"),
    _institution(2202, "tucanomanso_br_retail", "Banco Tucano Manso", "cpf", mfa=True),
    _institution(2203, "jabuticaba_br_business", "Cooperativa Jabuticaba", "agency"),
    _institution(2204, "ipeamarelo_br_retail", "Banco Ipê Amarelo", "consent"),
    _institution(2205, "vitoriaregia_br_retail", "Banco Vitória-Régia", "consent"),
    _institution(2206, "araucaria_br_business", "Banco Araucária Empresas", "consent_company"),
    _institution(2301, "moseisley_mx_fiscal", "Mos Eisley Fiscal (RFC y CIEC)", "ciec"),
    _institution(2302, "kashyyyk_cl_fiscal", "Kashyyyk Fiscal Chile", "rut"),
    _institution(2401, "slurm_mx_employment", "Slurm Employment (CURP)", "curp_alone"),
    _institution(2402, "momcorp_br_employment", "MomCorp Employment Brasil", "gov"),
)
INSTITUTIONS: dict[str, Institution] = {institution["name"]: institution for institution in _ALL}


def kind_of(institution: Institution) -> str:
    return OPEN_FINANCE if institution["integration_type"] == OPEN_FINANCE else str(institution["type"])


def asks_for_code(institution: Institution) -> bool:
    return TOKEN_REQUIRED in institution["features"]
