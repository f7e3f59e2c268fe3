"""Account managers of some customers, and so of their links. Data sets that are older than the column get them too."""

from django.db import connection, transaction

from benchmarks.sizes import Size
from linkadmin.accounts.models import User
from linkadmin.links.models import EndUser

from .links import BUSY_STAFF
from .table import CHUNK, chance_of, loading

SHARE = 0.4  # of the customers
IS_OFFERED = any(field.name == "account_manager" for field in EndUser._meta.get_fields())
OF_CUSTOMER = "UPDATE links_enduser SET account_manager_id = %s WHERE id = %s"
OF_LINKS = """
UPDATE links_link
SET account_manager_id = (SELECT account_manager_id FROM links_enduser WHERE links_enduser.id = end_user_id)
WHERE end_user_id IN (SELECT id FROM links_enduser WHERE account_manager_id IS NOT NULL)
"""


def build(_size: Size) -> None:
    chance = chance_of("managers")
    people = User.objects.filter(username__startswith="staff").order_by("username")
    staff = [pk.hex for pk in people.values_list("pk", flat=True)]
    customers = [pk.hex for pk in EndUser.objects.order_by("pk").values_list("pk", flat=True)]
    managed = [pk for pk in customers if chance.random() < SHARE]
    with loading(), connection.cursor() as cursor:
        for start in range(0, len(managed), CHUNK):
            some = managed[start : start + CHUNK]
            managers = chance.choices(staff, cum_weights=BUSY_STAFF, k=len(some))
            with transaction.atomic():
                cursor.executemany(OF_CUSTOMER, list(zip(managers, some, strict=True)))
        cursor.execute(OF_LINKS)
