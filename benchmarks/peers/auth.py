"""Who may see the stock admin: everyone who is signed in."""

from typing import Any

from django.contrib.auth.backends import ModelBackend


class Everything(ModelBackend):
    """Lets everyone who is signed in see everything."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return True

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return True
