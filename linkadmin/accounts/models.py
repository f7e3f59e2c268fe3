"""Staff."""

import uuid
from typing import Any, ClassVar

from allauth.account.internal.userkit import get_user_by_username
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.log import record
from linkadmin.audit.models import Outcome
from linkadmin.fields import NameField

from .roles import ADMIN_RIGHTS, Right, Role, may


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, username: str, password: str | None, role: Role, name: str = "") -> "User":
        """Make a member of staff. Raises ValidationError if a field does not hold, or the password is a weak one."""
        user = self.model(username=username, role=role, name=name)
        validate_password(password or "", user)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def create_superuser(self, *, username: str, password: str | None) -> "User":
        """Make an administrator, on the record: what `manage.py createsuperuser` calls on a new installation."""
        with transaction.atomic(using=self._db):
            user = self.create_user(username=username, password=password, role=Role.ADMINISTRATOR)
            record(
                actor=None,
                action="staff.created",
                object_type="staff",
                object_id=user.id,
                outcome=Outcome.DONE,
                details={"role": user.role},
            )
        return user

    def named(self, username: str) -> "User | None":
        """Return whose username this is, found as it is when somebody signs in."""
        found: User | None = get_user_by_username(username)
        return found


class User(AbstractBaseUser):
    """A member of staff, with exactly one role. No groups, no permissions of their own, no superusers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        _("user name"),
        max_length=60,
        unique=True,
        validators=[ASCIIUsernameValidator()],
        error_messages={"unique": _("This user name is taken.")},
    )
    name = NameField(_("name"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Who is not active cannot log in, and is logged out at once.")
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_has_a_known_role"),
            models.UniqueConstraint(
                Lower("username"), name="user_name_unique", violation_error_message=_("This user name is taken.")
            ),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def display_name(self) -> str:
        return self.name or self.username

    @property
    def is_staff(self) -> bool:
        """Whether the Django admin lets this person in."""
        return may(self, Right.ENTER_ADMIN)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Answer the Django admin from the role matrix."""
        right = ADMIN_RIGHTS.get(perm)
        return right is not None and may(self, right)

    def has_perms(self, perm_list: Any, obj: object = None) -> bool:
        return all(self.has_perm(perm) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return any(self.has_perm(perm) for perm in ADMIN_RIGHTS if perm.startswith(f"{app_label}."))

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Tie sessions to password and role, so that a change of either ends them all."""
        return salted_hmac("linkadmin.accounts.session", f"{self.password}:{self.role}", secret=secret).hexdigest()


class SignInLimit(models.Model):
    """The tries that count against one account, device, session or address. `limits.py` alone reads and writes it."""

    key = models.CharField(max_length=80, primary_key=True)
    tries = models.JSONField(default=list)  # when each was, in seconds since 1970
    refused = models.PositiveIntegerField(default=0)  # since the last one that was let through
    expires_at = models.DateTimeField(db_index=True)  # then none of them counts any more

    def __str__(self) -> str:
        return self.key
