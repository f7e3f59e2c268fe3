from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils.translation import gettext as _

from linkadmin.accounts.factors import owned
from linkadmin.accounts.models import User
from linkadmin.accounts.single_sign_on import people, recovery

logger = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = (
        "Let somebody back in who lost all second factors: removes them and the recovery codes, and ends all sessions. "
        "The next sign-in takes the password alone, then asks for a new second factor. "
        "For people who use single sign-on, prints a code that signs them in once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.named(username)
        if user is None:
            raise CommandError(_("Nobody has this username."))
        if not user.is_active:
            raise CommandError(_("This account is inactive, so nobody can sign in to it. Nothing was changed."))
        if not user.roles:
            raise CommandError(_("This person has no role at the identity provider. Nothing was changed."))
        owned.recover(user)
        logger.error("access.recovered", user_id=str(user.pk))
        self.stdout.write(_("Second factors removed, and all sessions ended. This is in the audit log."))
        if people.signs_in_there(user):
            values = {"page": reverse("recover-access"), "minutes": recovery.MINUTES}
            self.stdout.write(_("To sign in once within %(minutes)d minutes, open %(page)s and enter:") % values)
            self.stdout.write(recovery.code_for(user))
