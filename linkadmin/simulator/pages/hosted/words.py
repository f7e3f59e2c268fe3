"""The words of the hosted pages, in their languages."""

from collections.abc import Mapping
from typing import Any

LANGUAGES = ("en", "es", "pt")
_WORDS: Mapping[str, tuple[str, str, str]] = {
    "simulated": (
        "Simulated by Linkadmin. Don't enter real credentials.",
        "Simulado por Linkadmin. No ingrese credenciales reales.",
        "Simulado pelo Linkadmin. Não digite credenciais reais.",
    ),
    "sign_in_lead": (
        "Sign in as you do at your bank.",
        "Ingrese como lo hace en su banco.",
        "Entre como faz no seu banco.",
    ),
    "sign_in": ("Sign in", "Ingresar", "Entrar"),
    "optional": ("optional", "opcional", "opcional"),
    "rejected": ("The sign-in failed", "No fue posible ingresar", "Não foi possível entrar"),
    "code_lead": (
        "Your bank needs a one-time code.",
        "Su banco necesita un código de un solo uso.",
        "Seu banco precisa de um código de uso único.",
    ),
    "get_code": ("Get a code", "Recibir un código", "Receber um código"),
    "code": ("One-time code", "Código de un solo uso", "Código de uso único"),
    "answer": ("Your answer", "Su respuesta", "Sua resposta"),
    "qr": ("QR code from the bank", "Código QR del banco", "Código QR do banco"),
    "continue": ("Continue", "Continuar", "Continuar"),
    "wrong_code": (
        "Wrong or expired code",
        "Código incorrecto o vencido",
        "Código incorreto ou vencido",
    ),
    "new_code": ("The bank sent a new one.", "El banco envió uno nuevo.", "O banco enviou um novo."),
    "document_lead": (
        "Open finance needs no password. You authorize Belvo at your bank.",
        "Open finance no necesita contraseña. Usted autoriza a Belvo en su banco.",
        "O Open Finance não precisa de senha. Você autoriza a Belvo no seu banco.",
    ),
    "to_bank": ("Continue at the bank", "Continuar en el banco", "Continuar no banco"),
    "consent_lead": (
        "Share your accounts, transactions, and personal details with this company through Belvo for 12 months.",
        "Compartir sus cuentas, movimientos y datos personales con esta empresa mediante Belvo durante 12 meses.",
        "Compartilhar suas contas, transações e dados pessoais com esta empresa pela Belvo por 12 meses.",
    ),
    "authorize": ("Authorize", "Autorizar", "Autorizar"),
    "leave": ("Leave", "Salir", "Sair"),
    "connected": ("Your bank is connected", "Su banco está conectado", "Seu banco está conectado"),
    "left": ("You left without connecting", "Salió sin conectar", "Você saiu sem conectar"),
    "close": ("You can close this page.", "Puede cerrar esta página.", "Você pode fechar esta página."),
    "expired": ("This page has expired", "Esta página venció", "Esta página venceu"),
    "expired_lead": (
        "Go back to the company that sent you here and start over.",
        "Vuelva a la empresa que lo envió y comience de nuevo.",
        "Volte à empresa que enviou você e comece de novo.",
    ),
    "back": ("Go back", "Volver", "Voltar"),
    "portal": ("My Belvo Portal", "Mi Portal Belvo", "Meu Portal Belvo"),
    "portal_lead": (
        "See, renew, and withdraw the consents you have given through Belvo.",
        "Vea, renueve y retire los consentimientos que dio mediante Belvo.",
        "Veja, renove e retire os consentimentos que você deu pela Belvo.",
    ),
    "cnpj": ("CNPJ, for a company", "CNPJ, para una empresa", "CNPJ, para uma empresa"),
    "nobody": (
        "No consents were found for this CPF",
        "No se encontraron consentimientos para este CPF",
        "Nenhum consentimento foi encontrado para este CPF",
    ),
    "test_values": (
        "Test values: consents that can be renewed",
        "Valores de prueba: consentimientos que se pueden renovar",
        "Valores de teste: consentimentos que podem ser renovados",
    ),
    "identity": ("Confirm it's you", "Confirme su identidad", "Confirme sua identidade"),
    "identity_lead": (
        "Choose a bank where you have an account, and sign in there.",
        "Elija un banco donde tenga una cuenta e ingrese ahí.",
        "Escolha um banco onde você tem conta e entre nele.",
    ),
    "bank": ("Bank", "Banco", "Banco"),
    "consents": ("Your consents", "Sus consentimientos", "Meus compartilhamentos"),
    "customer": ("Customer ID", "ID del cliente", "ID do cliente"),
    "status": ("Status", "Estado", "Status"),
    "ends": ("Expires", "Vence", "Vence"),
    "never": ("never", "nunca", "nunca"),
    "renew": ("Renew consent", "Renovar consentimiento", "Renovar consentimento"),
    "withdraw": ("Withdraw consent", "Retirar consentimiento", "Retirar consentimento"),
    "renewed": ("Consent renewed", "Consentimiento renovado", "Consentimento renovado"),
    "withdrawn": ("Consent withdrawn", "Consentimiento retirado", "Consentimento retirado"),
    "AUTHORISED": ("Authorized", "Autorizado", "Autorizado"),
    "AWAITING_AUTHORISATION": ("Waiting for authorization", "Espera la autorización", "Aguardando autorização"),
    "AWAITING_AUTHORISATION_CONFIRMATION": (
        "Waiting for confirmation at the bank",
        "Espera la confirmación en el banco",
        "Aguardando confirmação no banco",
    ),
    "REJECTED": ("Rejected or withdrawn", "Rechazado o retirado", "Recusado ou retirado"),
    "EXPIRED": ("Expired", "Vencido", "Vencido"),
}


def page_in(language: str, provider: str = "Belvo") -> dict[str, Any]:
    """The context that all these pages need."""
    column = LANGUAGES.index(language)
    return {"language": language, "provider": provider, "say": {name: texts[column] for name, texts in _WORDS.items()}}
