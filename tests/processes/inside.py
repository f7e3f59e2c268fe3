"""Calls functions with a stack's settings, because a new Python process for each call takes a second.

Each line of input is a function and its arguments as JSON, and each line of output what it returned.
"""

import json
import sys
from pkgutil import resolve_name

import django
from django.db import connections

django.setup()

if __name__ == "__main__":
    results, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        function, arguments = json.loads(line)
        result = resolve_name(function)(*arguments)
        connections.close_all()
        print(json.dumps(result), file=results, flush=True)
