"""Staff accounts, their sessions, and the rows behind sign-in limits."""

import secrets
import uuid
from typing import Any, ClassVar

from allauth.account.internal.userkit import get_user_by_username
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.fields import NameField

from .roles import ADMIN_RIGHTS, RIGHTS, ROLE_CHOICES, Right, Role, may


class Environment(models.TextChoices):
    """Of an integration and its links. The two are never in one count."""

    PRODUCTION = "production", _("Production")
    SANDBOX = "sandbox", _("Sandbox")


# What all columns with an environment have in common.
ENVIRONMENT: dict[str, Any] = {
    "verbose_name": _("environment"),
    "max_length": 10,
    "choices": Environment,
    "default": Environment.PRODUCTION,
    "db_default": Environment.PRODUCTION.value,
}


# Changing any of these ends all sessions of the person for good.
ENDS_SESSIONS = frozenset({"password", "roles", "is_active"})


def new_stamp() -> str:
    return secrets.token_hex(16)


class UserQuerySet(models.QuerySet["User"]):
    def update(self, **columns: Any) -> int:
        if ENDS_SESSIONS.isdisjoint(columns):
            return super().update(**columns)
        with transaction.atomic(using=self.db):
            pks = list(self.order_by().values_list("pk", flat=True))
            changed = super().update(session_stamp=new_stamp(), **columns)
            StaffSession.objects.using(self.db).filter(user__in=pks).delete()
        return changed


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def create_user(self, *, username: str, password: str | None, roles: str, name: str = "") -> "User":
        """Raises ValidationError for an invalid field or a weak password."""
        user = self._valid(username=username, password=password, roles=roles, name=name)
        user.save(using=self._db)
        return user

    def create_superuser(self, *, username: str, password: str | None) -> "User":
        """`manage.py createsuperuser` calls this on a new installation."""
        user = self._valid(username=username, password=password, roles=Role.ADMINISTRATOR)  # may ask another service
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            record(
                actor=None,
                action=Action.STAFF_CREATED,
                object_type=ObjectType.STAFF,
                object_id=user.id,
                outcome=Outcome.DONE,
                details={"roles": user.roles},
            )
        return user

    def _valid(self, *, username: str, password: str | None, roles: str, name: str = "") -> "User":
        user = self.model(username=username, roles=roles, name=name)
        validate_password(password or "", user)
        user.set_password(password)
        user.full_clean()
        return user

    def locked(self, pk: uuid.UUID) -> "User":
        """What changes somebody's access, second factors or invitation locks their row before anything else."""
        return self.select_for_update(no_key=True).get(pk=pk)

    def named(self, username: str) -> "User | None":
        found: User | None = get_user_by_username(username)
        return found


class User(AbstractBaseUser):
    """A member of staff. No groups, individual permissions or superusers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        _("username"),
        max_length=60,
        unique=True,
        validators=[ASCIIUsernameValidator()],
        error_messages={"unique": _("This username is taken.")},
    )
    name = NameField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Invitations can be sent to it."))
    # Empty for who lost theirs at the identity provider.
    roles = models.CharField(_("roles"), max_length=40, choices=ROLE_CHOICES, db_column="role")
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive staff can't sign in, and are signed out immediately.")
    )

    environment = models.CharField(  # whose lists and counts they chose to see; empty: production, if there is any
        **ENVIRONMENT | {"blank": True, "default": "", "db_default": "", "editable": False}
    )
    last_login = models.DateTimeField(_("last sign-in"), blank=True, null=True)
    session_stamp = models.CharField(max_length=32, default=new_stamp, editable=False)  # a new value ends all sessions

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        constraints = [
            models.CheckConstraint(condition=models.Q(roles__in=["", *RIGHTS]), name="user_has_known_roles"),
            models.UniqueConstraint(
                Lower("username"), name="user_name_unique", violation_error_message=_("This username is taken.")
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Ends all sessions if password, roles or access changed, and an invitation if the person needs none now."""
        fields = kwargs.get("update_fields")
        if self._state.adding or (fields is not None and ENDS_SESSIONS.isdisjoint(fields)):
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            locked = User.objects.select_for_update(no_key=True).filter(pk=self.pk)
            stored = locked.values(*ENDS_SESSIONS, "session_stamp").first()
            if stored is not None:
                self.session_stamp = stored.pop("session_stamp")  # this instance may be out of date
                if any(getattr(self, name) != value for name, value in stored.items()):
                    self.session_stamp = new_stamp()
                    StaffSession.objects.filter(user=self).delete()
                if stored.get("password", self.password) != self.password or not self.is_active:
                    Invitation.objects.filter(user=self).delete()  # a link sent before must not replace it
            if fields is not None:
                kwargs["update_fields"] = {*fields, "session_stamp"}
            super().save(*args, **kwargs)

    @property
    def display_name(self) -> str:
        return self.name or self.username

    @property
    def is_staff(self) -> bool:
        return may(self, Right.ENTER_ADMIN)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        right = ADMIN_RIGHTS.get(perm)
        return right is not None and may(self, right)

    def has_module_perms(self, app_label: str) -> bool:
        return any(self.has_perm(perm) for perm in ADMIN_RIGHTS if perm.startswith(f"{app_label}."))

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Changing password, roles or stamp invalidates earlier sessions for good."""
        tied = f"{self.password}:{self.roles}:{self.session_stamp}"
        return salted_hmac("linkadmin.accounts.session", tied, secret=secret).hexdigest()


class StaffSession(AbstractBaseSession):
    """A browser session and whose it is. Written by `session_store.py`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)  # when a person was last active
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @classmethod
    def get_session_store_class(cls) -> Any:
        from .session_store import SessionStore

        return SessionStore

    @property
    def public_id(self) -> str:
        """What forms use: the key itself would open the session."""
        return salted_hmac("linkadmin.accounts.session-id", self.session_key, algorithm="sha256").hexdigest()[:32]


class Invitation(models.Model):
    """A one-time link to choose a password with, at most one per person. Only `staff/invitations.py` uses it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="invitation")
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+"
    )  # none: by an earlier version
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.user_id)


class Identity(models.Model):
    """Who somebody is at the identity provider. `single_sign_on/people.py` writes this table."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="identity")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_unique")]

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """A code that isn't used yet. Only `factors/recovery_codes.py` uses this table."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return str(self.user_id)


class ApprovalKind(models.TextChoices):
    ROLES = "roles", _("More access")
    PASSWORD = "password", _("New password")
    IDENTITY = "identity", _("Single sign-on")


class ApprovalState(models.TextChoices):
    PENDING = "pending", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    CANCELED = "canceled", _("Canceled")
    EXPIRED = "expired", _("Expired")


class ApprovalRequest(models.Model):
    """Access that a second person has to approve. Only `staff/approvals.py` writes this table."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=ApprovalKind)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="approval_requests")
    roles = models.CharField(max_length=40, choices=ROLE_CHOICES)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ApprovalState, default=ApprovalState.PENDING)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")  # none: the host
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=models.Q(state="pending"), name="approval_one_pending")
        ]
        indexes = [
            models.Index(fields=["asked_at", "id"], condition=models.Q(state="pending"), name="approval_pending")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class SignInLimit(models.Model):
    """Attempts that count against an account, device, session or IP address. Only `limits.py` uses this table."""

    key = models.CharField(max_length=80, primary_key=True)
    attempts = models.JSONField(default=list)  # times, in seconds since 1970
    rejected = models.PositiveIntegerField(default=0)  # since the last attempt that was let through
    expires_at = models.DateTimeField(db_index=True)  # by then none of them counts

    def __str__(self) -> str:
        return self.key
