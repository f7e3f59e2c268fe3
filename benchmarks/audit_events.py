"""Append events to the product's audit log, or verify it, and print the seconds: `append COUNT` or `verify`."""

import logging
import sys
import time

import django

django.setup()

from linkadmin.accounts.models import User  # noqa: E402 - Django has to be set up first
from linkadmin.audit.log import Action, ObjectType, Outcome, record  # noqa: E402
from linkadmin.audit.verify import verify  # noqa: E402


def append(count: int) -> None:
    actor = User.objects.order_by("username")[0]
    for number in range(-1, count):
        if number == 0:
            started = time.perf_counter()  # the first event connects
        record(
            actor=actor,
            action=Action.LINK_VIEWED,
            object_type=ObjectType.LINK,
            object_id=f"00000000-0000-0000-0000-{number + 1:012}",
            outcome=Outcome.DONE,
        )
    print(time.perf_counter() - started)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    if sys.argv[1] == "append":
        append(int(sys.argv[2]))
    else:
        started = time.perf_counter()
        if not verify().is_whole:
            sys.exit("the audit log doesn't verify")
        print(time.perf_counter() - started)
