"""Print the seconds of one bare change after a warm-up: `python -m benchmarks.bare_change ADDRESS PATH`."""

import base64
import sys

from benchmarks.floors.change import change, prepare

HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"sandbox-id:sandbox-password").decode(),
    "Content-Type": "application/json",
}
BODY = b'{"password": "pass_valid"}'

if __name__ == "__main__":
    database = prepare()
    print(min(change(database, *sys.argv[1:], body=BODY, headers=HEADERS) for _ in range(3)))
