"""Ask pip-audit for known holes in what a lock file pins: 0 none, 1 some, 75 when there was nobody to ask.

Without a way to its source pip-audit passes over every package and calls that a success, so the answer is looked into.
"""

import json
import subprocess
import sys
from pathlib import Path

NOT_RUN = 75


def main(lock: str) -> int:
    command = [str(Path(sys.executable).with_name("pip-audit")), "--disable-pip", "--require-hashes", "-r", lock]
    outcome = subprocess.run([*command, "--progress-spinner", "off", "-f", "json"], capture_output=True, text=True)  # noqa: S603
    if not outcome.stdout.startswith("{"):
        return say(f"not run: {(outcome.stderr.strip().splitlines() or ['pip-audit said nothing'])[-1]}", NOT_RUN)
    packages = json.loads(outcome.stdout)["dependencies"]
    unasked = [package["name"] for package in packages if "skip_reason" in package]
    if len(unasked) == len(packages):
        return say("not run: the source of advisories knows none of the packages, so it is not the real one", NOT_RUN)
    holes = [f"{package['name']}: {hole['id']}" for package in packages for hole in package.get("vulns", [])]
    holes += [f"{name}: could not be asked about" for name in unasked]
    return say("\n".join(holes), 1) if holes else say(f"{len(packages)} packages, no known hole", 0)


def say(text: str, status: int) -> int:
    sys.stdout.write(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
