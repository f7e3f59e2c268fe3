#!/usr/bin/env python
"""Django's command line for Linkadmin."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkadmin.settings")
    from django.core.management import execute_from_command_line

    from linkadmin.hardening import no_core_dumps

    no_core_dumps()
    execute_from_command_line(sys.argv)
