"""What allauth tells authenticators about us. The domain comes from the settings, never from a request."""

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from linkadmin.accounts.models import User

NAME = "Linkadmin"  # as passkeys and authenticator apps show it


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    def get_totp_issuer(self) -> str:
        return NAME

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.PASSKEY_DOMAIN, "name": NAME}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, object]:
        return {"id": str(user.pk).encode(), "display_name": user.display_name, "name": user.username}
